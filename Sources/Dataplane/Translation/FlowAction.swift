public import Wire

/// The action of an IPv4 flow.
public typealias FlowAction = IPFlowAction<IPv4>
/// The action of an IPv6 flow.
public typealias IPv6FlowAction = IPFlowAction<IPv6>

/// What is done to every packet of one flow: new addresses and ports, a port to leave by, and the next hop.
///
/// The next hop's MAC address is either kept from the flow's first packet, and then never looked up again, or looked
/// up for each packet.
@frozen public struct IPFlowAction<Family: AddressFamily>: BitwiseCopyable, Sendable {
    public var rewrite: IPPacketRewrite<Family>
    public var hop: IPNextHop<Family>
    /// The MAC address that the flow keeps; zero where it is looked up for each packet.
    public var keptMAC: MACAddress

    @inlinable
    public init(rewrite: IPPacketRewrite<Family>, hop: IPNextHop<Family>, keptMAC: MACAddress = .zero) {
        self.rewrite = rewrite
        self.hop = hop
        self.keptMAC = keptMAC
    }

    /// Rewrites a TCP or UDP packet and lowers its time to live.
    /// - Parameter layout: of the packet as it arrived, with a complete transport header and a time to live above 1
    @inlinable
    public func apply(to frame: Frame, _ layout: IPLayout<Family>) {
        rewrite.apply(
            header: frame.base + Int(layout.networkOffset), transport: frame.base + Int(layout.transportOffset))
    }
}

/// The layout of a frame with an IPv4 packet.
public typealias FrameLayout = IPLayout<IPv4>
/// The layout of a frame with an IPv6 packet.
public typealias IPv6FrameLayout = IPLayout<IPv6>

/// Where the parts of an Ethernet frame with an IP packet lie, and what a dataplane asks of every packet.
///
/// Filled in by the one guarded parse of a frame, `ParsedFrame`; afterwards every offset lies within the frame and
/// the header at each offset is complete.
@frozen
public struct IPLayout<Family: AddressFamily>: Sendable {
    /// The flow; ports are zero where `hasTransportHeader` is false or the protocol has none.
    public var fiveTuple: FlowKey<Family>
    /// Bytes from the frame's start to the IP header.
    public var networkOffset: Int32
    /// To what the IP header, extension headers included, is followed by.
    public var transportOffset: Int32
    /// To what the transport header is followed by; `transportOffset` where there is no transport header.
    public var payloadOffset: Int32
    /// To the end of the IP packet; behind it is only Ethernet's padding.
    public var endOffset: Int32
    public var fragment: IPFragment
    public var tcpFlags: TCPFlags
    /// Whether a complete TCP, UDP or ICMP header is at `transportOffset`; false for other protocols and for later
    /// fragments.
    public var hasTransportHeader: Bool

    @inlinable
    public init(
        fiveTuple: FlowKey<Family>, networkOffset: Int, transportOffset: Int, payloadOffset: Int, endOffset: Int,
        fragment: IPFragment, tcpFlags: TCPFlags, hasTransportHeader: Bool
    ) {
        self.fiveTuple = fiveTuple
        self.networkOffset = Int32(truncatingIfNeeded: networkOffset)
        self.transportOffset = Int32(truncatingIfNeeded: transportOffset)
        self.payloadOffset = Int32(truncatingIfNeeded: payloadOffset)
        self.endOffset = Int32(truncatingIfNeeded: endOffset)
        self.fragment = fragment
        self.tcpFlags = tcpFlags
        self.hasTransportHeader = hasTransportHeader
    }

    @inlinable public var ipProtocol: IPProtocol { fiveTuple.protocol }
    /// Bytes of the IP packet, header included.
    @inlinable public var packetLength: Int { Int(endOffset &- networkOffset) }
    /// Bytes behind the transport header.
    @inlinable public var payloadLength: Int { Int(endOffset &- payloadOffset) }
    @inlinable public var isFragment: Bool { fragment != .whole }
}

extension IPLayout where Family == IPv6 {
    /// The layout of an IPv4 packet with its addresses as `InternetAddress.universal` has them, for code off the hot
    /// path that treats both families alike.
    public init(universal layout: FrameLayout) {
        self.init(
            fiveTuple: IPv6FiveTuple(
                source: layout.fiveTuple.source.universal, destination: layout.fiveTuple.destination.universal,
                portsAndProtocol: layout.fiveTuple.portsAndProtocol),
            networkOffset: Int(layout.networkOffset), transportOffset: Int(layout.transportOffset),
            payloadOffset: Int(layout.payloadOffset), endOffset: Int(layout.endOffset), fragment: layout.fragment,
            tcpFlags: layout.tcpFlags, hasTransportHeader: layout.hasTransportHeader)
    }
}

/// Which piece of a packet an IPv4 header, or the fragment header of IPv6, announces.
@frozen
public enum IPFragment: UInt8, Sendable {
    /// Not a fragment.
    case whole
    /// The first of several: its transport header is here, the end is not.
    case first
    /// A later one, without transport header.
    case later
}

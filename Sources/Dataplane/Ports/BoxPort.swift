public import Wire

/// A port of a box as the dataplane sees it.
@frozen public struct BoxPort: BitwiseCopyable, Sendable {
    /// The port's own address, which its host side has too.
    public var mac: MACAddress
    /// The source of frames that the dataplane forwards and translates: `mac`, unless an Active router of a virtual
    /// MAC address speaks.
    public var sourceMAC: MACAddress
    /// The box's own address and its network; nil where the port has none.
    public var address: IPv4InterfaceAddress?
    /// Largest IP packet in bytes.
    public var mtu: Int32
    /// Whether the port has carrier.
    public var isUp: Bool
    /// Whether the box's own kernel is behind the port.
    public var hasHostSide: Bool

    public init(mac: MACAddress, address: IPv4InterfaceAddress?, mtu: Int, hasHostSide: Bool = true) {
        self.mac = mac
        sourceMAC = mac
        self.address = address
        self.mtu = Int32(clamping: mtu)
        isUp = true
        self.hasHostSide = hasHostSide
    }
}

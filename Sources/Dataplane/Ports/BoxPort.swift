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
    /// The same of IPv6; a port without one neither answers nor asks by Neighbour Discovery, and hands IPv6 on as a
    /// foreign protocol.
    public var ipv6: IPv6InterfaceAddress?
    /// Largest IP packet in bytes.
    public var mtu: Int32
    /// Whether the port has carrier.
    public var isUp: Bool
    /// Whether the box's own kernel is behind the port.
    public var hasHostSide: Bool

    public init(
        mac: MACAddress, address: IPv4InterfaceAddress?, ipv6: IPv6InterfaceAddress? = nil, mtu: Int,
        hasHostSide: Bool = true
    ) {
        self.mac = mac
        sourceMAC = mac
        self.address = address
        self.ipv6 = ipv6
        self.mtu = Int32(clamping: mtu)
        isUp = true
        self.hasHostSide = hasHostSide
    }

    /// The link-local address, which a port with IPv6 has beside its own: from its MAC address, as its host side's.
    @inlinable public var linkLocal: IPv6Address? { ipv6 == nil ? nil : .linkLocal(for: mac) }
}

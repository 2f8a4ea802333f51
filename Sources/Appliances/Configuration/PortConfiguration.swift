public import Wire

/// A port of a box as its dataplane knows it.
public struct PortConfiguration: Hashable, Sendable, Codable {
    /// The lab's own word for the interface, at most 15 bytes (`inside`).
    public var name: String
    public var mac: MACAddress
    /// The box's own address and its network; nil where the port has none.
    public var address: IPv4InterfaceAddress?
    /// Largest IP packet in bytes.
    public var mtu: Int

    public init(name: String, mac: MACAddress, address: IPv4InterfaceAddress?, mtu: Int = 1500) {
        self.name = name
        self.mac = mac
        self.address = address
        self.mtu = mtu
    }
}

/// A static route of a box; connected networks need none.
public struct RouteConfiguration: Hashable, Sendable, Codable {
    public var destination: IPv4Network
    public var gateway: IPv4Address

    public init(destination: IPv4Network, gateway: IPv4Address) {
        self.destination = destination
        self.gateway = gateway
    }
}

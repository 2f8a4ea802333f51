import Dataplane
public import Wire

/// A port of a box as its dataplane knows it.
public struct PortConfiguration: Hashable, Sendable, Codable {
    /// The lab's own word for the interface, at most 15 bytes (`inside`).
    public var name: String
    public var mac: MACAddress
    /// The box's own address and its network; nil where the port has none.
    public var address: IPv4InterfaceAddress?
    /// The same of IPv6; nil where IPv6 is silent on the port.
    public var ipv6: IPv6InterfaceAddress?
    /// Largest IP packet in bytes.
    public var mtu: Int
    /// The largest MTU that a box carries.
    public static let largestMTU = FrameQueue.largestMTU

    public init(
        name: String, mac: MACAddress, address: IPv4InterfaceAddress?, ipv6: IPv6InterfaceAddress? = nil,
        mtu: Int = 1500
    ) {
        self.name = name
        self.mac = mac
        self.address = address
        self.ipv6 = ipv6
        self.mtu = mtu
    }
}

extension PortConfiguration {
    /// The port's networks, of either family.
    public var networks: [IPNetwork] {
        [address.map { .ipv4($0.network) }, ipv6.map { .ipv6($0.network) }].compactMap { $0 }
    }
}

/// A static route of a box; connected networks need none.
public struct RouteConfiguration: Hashable, Sendable, Codable {
    public var destination: IPNetwork
    /// Of the destination's family.
    public var gateway: IPAddress
    /// The interface that a link-local gateway is on; nil where the gateway's address says it.
    public var interface: String?

    public init(destination: IPNetwork, gateway: IPAddress, interface: String? = nil) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
    }

    public init(destination: IPv4Network, gateway: IPv4Address) {
        self.init(destination: .ipv4(destination), gateway: .ipv4(gateway))
    }

    public init(destination: IPv6Network, gateway: IPv6Address) {
        self.init(destination: .ipv6(destination), gateway: .ipv6(gateway))
    }
}

public import Wire

/// A route to an IPv4 network.
public typealias Route = IPRoute<IPv4Address>
/// A route to an IPv6 network.
public typealias IPv6Route = IPRoute<IPv6Address>
/// Where an IPv4 packet goes next.
public typealias NextHop = IPNextHop<IPv4Address>
/// Where an IPv6 packet goes next.
public typealias IPv6NextHop = IPNextHop<IPv6Address>

/// A route: which port packets to a network leave by, and who takes them on.
@frozen public struct IPRoute<Address: InternetAddress>: Hashable, Sendable, BitwiseCopyable {
    public var destination: Address.Network
    public var port: PortIndex
    /// nil for a connected network, where the destination itself is the next hop.
    public var gateway: Address?

    @inlinable
    public init(destination: Address.Network, port: PortIndex, gateway: Address?) {
        self.destination = destination
        self.port = port
        self.gateway = gateway
    }
}

/// Where a packet goes next.
@frozen public struct IPNextHop<Address: InternetAddress>: Hashable, Sendable, BitwiseCopyable {
    public var port: PortIndex
    public var address: Address

    @inlinable
    public init(port: PortIndex, address: Address) {
        self.port = port
        self.address = address
    }
}

public import Wire

/// A route to an IPv4 network.
public typealias Route = IPRoute<IPv4>
/// A route to an IPv6 network.
public typealias IPv6Route = IPRoute<IPv6>
/// Where an IPv4 packet goes next.
public typealias NextHop = IPNextHop<IPv4>
/// Where an IPv6 packet goes next.
public typealias IPv6NextHop = IPNextHop<IPv6>

/// A route: which port packets to a network leave by, and who takes them on.
@frozen public struct IPRoute<Family: AddressFamily>: Hashable, Sendable, BitwiseCopyable {
    public var destination: Family.Address.Network
    public var port: PortIndex
    /// nil for a connected network, where the destination itself is the next hop.
    public var gateway: Family.Address?

    @inlinable
    public init(destination: Family.Address.Network, port: PortIndex, gateway: Family.Address?) {
        self.destination = destination
        self.port = port
        self.gateway = gateway
    }
}

/// Where a packet goes next.
@frozen public struct IPNextHop<Family: AddressFamily>: Hashable, Sendable, BitwiseCopyable {
    public var port: PortIndex
    public var address: Family.Address

    @inlinable
    public init(port: PortIndex, address: Family.Address) {
        self.port = port
        self.address = address
    }
}

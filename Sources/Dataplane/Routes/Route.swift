public import Wire

/// A route: which port packets to a network leave by, and who takes them on.
@frozen public struct Route: Hashable, Sendable, BitwiseCopyable {
    public var destination: IPv4Network
    public var port: PortIndex
    /// nil for a connected network, where the destination itself is the next hop.
    public var gateway: IPv4Address?

    @inlinable
    public init(destination: IPv4Network, port: PortIndex, gateway: IPv4Address?) {
        self.destination = destination
        self.port = port
        self.gateway = gateway
    }
}

/// Where a packet goes next.
@frozen public struct NextHop: Hashable, Sendable, BitwiseCopyable {
    public var port: PortIndex
    public var address: IPv4Address

    @inlinable
    public init(port: PortIndex, address: IPv4Address) {
        self.port = port
        self.address = address
    }
}

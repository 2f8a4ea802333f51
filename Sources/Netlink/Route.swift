public import Wire

/// A unicast route; in a list always of the main table.
public struct Route: Hashable, Sendable {
    public var destination: NetworkAddress
    public var prefixLength: Int
    public var gateway: NetworkAddress?
    /// In a list always an index.
    public var device: LinkReference?
    /// Among routes to one destination the least counts; nil is the kernel's default (0, for IPv6 1024).
    public var metric: UInt32?
    /// The gateway is reached directly though no address of the interface covers it.
    public var isOnLink: Bool
    /// nil for the main one.
    public var table: UInt32?
    /// In a list, of a route with several ways: each way's gateway, as often as its weight. `gateway` is nil then.
    public var gateways: [NetworkAddress] = []

    public init(
        to destination: NetworkAddress, prefixLength: Int, gateway: NetworkAddress? = nil,
        device: LinkReference? = nil, metric: UInt32? = nil, isOnLink: Bool = false, table: UInt32? = nil
    ) {
        self.table = table
        self.destination = destination
        self.prefixLength = prefixLength
        self.gateway = gateway
        self.device = device
        self.metric = metric
        self.isOnLink = isOnLink
    }

    public init(
        to network: IPv4Network, gateway: IPv4Address? = nil, device: LinkReference? = nil, metric: UInt32? = nil,
        isOnLink: Bool = false
    ) {
        self.init(
            to: .ipv4(network.address), prefixLength: network.prefixLength, gateway: gateway.map { .ipv4($0) },
            device: device, metric: metric, isOnLink: isOnLink)
    }

    public init(
        to network: IPv6Network, gateway: IPv6Address? = nil, device: LinkReference? = nil, metric: UInt32? = nil,
        isOnLink: Bool = false
    ) {
        self.init(
            to: .ipv6(network.address), prefixLength: network.prefixLength, gateway: gateway.map { .ipv6($0) },
            device: device, metric: metric, isOnLink: isOnLink)
    }
}

extension Route: CustomStringConvertible {
    public var description: String {
        var text = prefixLength == 0 ? "default" : "\(destination)/\(prefixLength)"
        if let gateway { text += " via \(gateway)" }
        if !gateways.isEmpty { text += " via " + gateways.map(\.description).joined(separator: " and ") }
        if let device { text += " dev \(device)" }
        if let metric { text += " metric \(metric)" }
        if isOnLink { text += " onlink" }
        if let table { text += " table \(table)" }
        return text
    }
}

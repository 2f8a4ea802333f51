public import Configuration
public import Dataplane
import Wire

extension BoxPorts {
    /// The ports and static routes of a configuration.
    /// - Throws: a route whose gateway is on no connected network
    public init(
        _ ports: [PortConfiguration], routes: [RouteConfiguration], neighborTiming: NeighborTiming = NeighborTiming()
    ) throws(ConfigurationError) {
        guard ports.count <= 64 else {
            throw ConfigurationError("a box has at most 64 ports; this one has \(ports.count)")
        }
        var box = BoxPorts(
            ports: ports.map { BoxPort(mac: $0.mac, address: $0.address, ipv6: $0.ipv6, mtu: $0.mtu) },
            neighborTiming: neighborTiming)
        for route in routes {
            let isAdded =
                switch (route.destination, route.gateway) {
                case (.ipv4(let destination), .ipv4(let gateway)): box.addRoute(to: destination, via: gateway)
                case (.ipv6(let destination), .ipv6(let gateway)): box.addRoute(to: destination, via: gateway)
                default: false
                }
            guard isAdded else {
                let networks = ports.flatMap(\.networks).map(\.description).joined(separator: ", ")
                throw ConfigurationError(
                    "the route to \(route.destination) leads to \(route.gateway), which is on none of the connected networks (\(networks)); give the address of a neighbour"
                )
            }
        }
        box.replaceRoutes(with: routes.compactMap(\.ipv4))
        self = box
    }

    /// What the box's own kernel has now (`ApplianceCommand.routes`).
    mutating func takeOver(_ routes: [RouteConfiguration]) -> ApplianceReply {
        replaceRoutes(with: routes.compactMap(\.ipv4))
        return .done
    }
}

extension RouteConfiguration {
    /// Destination and gateway; nil of an IPv6 route.
    fileprivate var ipv4: (destination: IPv4Network, gateway: IPv4Address)? {
        if case (.ipv4(let destination), .ipv4(let gateway)) = (destination, gateway) {
            (destination, gateway)
        } else {
            nil
        }
    }
}

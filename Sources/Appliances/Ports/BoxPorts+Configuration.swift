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
            ports: ports.map { BoxPort(mac: $0.mac, address: $0.address, mtu: $0.mtu) }, neighborTiming: neighborTiming)
        for route in routes {
            guard ports.contains(where: { $0.address?.network.contains(route.gateway) == true }) else {
                let networks = ports.compactMap { $0.address?.network.description }.joined(separator: ", ")
                throw ConfigurationError(
                    "the route to \(route.destination) leads to \(route.gateway), which is on none of the connected networks (\(networks)); give the address of a neighbour"
                )
            }
        }
        box.replaceRoutes(with: routes.map { ($0.destination, $0.gateway) })
        self = box
    }

    /// What the box's own kernel has now (`ApplianceCommand.routes`).
    mutating func takeOver(_ routes: [RouteConfiguration]) -> ApplianceReply {
        replaceRoutes(with: routes.map { ($0.destination, $0.gateway) })
        return .done
    }
}

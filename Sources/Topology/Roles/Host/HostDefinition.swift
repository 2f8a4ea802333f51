import Configuration
import LabFile
import Wire

extension RoleForm {
    static let client = RoleForm(
        word: "client", article: "a client", summary: "a host", keys: hostKeys, configuration: HostConfiguration.self,
        example: """
            example:
              role: client
              interfaces: { left: 192.0.2.10 }
              services: { echo: 7/udp, http: { port: 80, delay: 5ms, answer: page, keep-alive: off }, ftp: 21 }
              loopback: [10.64.0.0/24]
            """
    ) { mapping, node, _ in HostDefinition(.client, mapping, node) }

    static let backend = RoleForm(
        word: "backend", article: "a backend", summary: "a host", keys: hostKeys, configuration: HostConfiguration.self,
        example: """
            balancer:
              role: load-balancer
              interfaces: { left: 192.0.2.5 }
              virtual-services:
                web: { listen: "192.0.2.100:80/tcp", profile: tcp-fast-path, dsr: ipip, pool: ["example:80"] }
            example:
              role: backend
              interfaces: { left: 192.0.2.10 }
              services: { http: 80, none: 8080/tcp }
              loopback: 192.0.2.100
              tunnel: { mode: ipip, end: dataplane, from: balancer.left.ip, address: 192.0.2.100, clamp-mss: on }
            """
    ) { mapping, node, _ in HostDefinition(.backend, mapping, node) }

    static let router = RoleForm(
        word: "router", article: "a router", summary: "a host that forwards between its interfaces",
        keys: ["services", "tracked-routes", "loopback", "tunnel"], configuration: HostConfiguration.self,
        example: """
            example:
              role: router
              interfaces: { left: 192.0.2.10, right: 198.51.100.10 }
              services: { echo: 7/tcp }
              tracked-routes: { 203.0.113.0/24: { via: [server.left, server.right], every: 100ms, misses: 3 } }
              loopback: 10.64.0.1
            """
    ) { mapping, node, _ in HostDefinition(.router, mapping, node) }

    private static let hostKeys = ["services", "loopback", "tunnel"]
}

/// A node with the kernel's own stack, as written.
struct HostDefinition: RoleDefinition {
    var kind: HostConfiguration.Kind
    /// nil where the lab does not say; a host without programs then serves what is asked of it.
    var services: ServicesDefinition?
    /// Of a router.
    var trackedRoutes: [TrackedRouteDefinition] = []
    /// Further addresses on `lo`: addresses or references.
    var loopback: [LabValue] = []
    /// Where its tunnels end.
    var tunnel: TunnelDefinition?

    init(_ kind: HostConfiguration.Kind, _ mapping: MappingReader, _ node: NodeDefinition) {
        self.kind = kind
        let (name, reader) = (node.name.value, mapping.reader)
        services = mapping["services"].map { ServicesDefinition($0, node: name, reader) }
        trackedRoutes = NodeDefinition.named(mapping["tracked-routes"], "the tracked routes of '\(name)'", reader)
            .compactMap { TrackedRouteDefinition($0, of: name, reader) }
        for route in trackedRoutes
        where node.routes.contains(where: {
            $0.reference == nil && ($0.destination ?? .ipv4(.any)) == .ipv4(route.destination)
        })
            || (route.destination == .any && node.gateway != nil)
        {
            reader.report("'\(name)' has another route to \(route.destination) as well", at: route.position)
        }
        loopback = mapping["loopback"].map { reader.list($0) } ?? []
        tunnel = mapping["tunnel"].flatMap { TunnelDefinition($0, reader) }
    }

    /// Hosts get their servers later, when all that asks them is known.
    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)? {
        let name = node.name.value
        let tracked = trackedRoutes.map { route in
            TrackedRoute(
                choices: route.gateways.flatMap { gateway in
                    resolution.nextHops(
                        gateway, of: name, what: "a gateway of the tracked route to \(route.destination)", .ipv4
                    ).map { RouteConfiguration(destination: .ipv4(route.destination), gateway: $0) }
                }, interval: route.interval, misses: route.misses)
        }
        return HostConfiguration(kind: kind, servers: services?.programs ?? [], trackedRoutes: tracked)
    }

    func complete(
        _ node: inout Node, _ ports: [PortConfiguration], of definition: NodeDefinition, in resolution: Resolution
    ) {
        // Until it is known better, the preferred gateway counts.
        node.routes += node.role.host?.trackedRoutes.compactMap(\.choices.first) ?? []
        (node.loopback, node.loopbackNetworks) = resolution.loopback(loopback, of: definition.name.value)
        node.tunnel = tunnel.flatMap { resolution.tunnel($0, of: definition, ports) }
    }
}

extension NodeDefinition {
    var host: HostDefinition? { own as? HostDefinition }
}

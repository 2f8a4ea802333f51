import Configuration
import LabFile

extension RoleForm {
    static let loadBalancer = RoleForm(
        word: "load-balancer", article: "a load balancer", summary: "a [load balancer](load-balancer.md)",
        keys: ["virtual-services", "pools"], configuration: LoadBalancerConfiguration.self,
        example: """
            example:
              role: load-balancer
              interfaces: { left: 192.0.2.5, right: 198.51.100.5 }
              pools: { servers: ["server:80"] }
              virtual-services: { web: { listen: "192.0.2.100:80/tcp", profile: tcp-fast-path, pool: servers } }
            """
    ) { mapping, node, timers in LoadBalancerDefinition(mapping, node, timers) }
}

/// What only a load balancer has, as written.
struct LoadBalancerDefinition: RoleDefinition {
    var virtualServices: [VirtualServiceDefinition]

    init(_ mapping: MappingReader, _ node: NodeDefinition, _ timers: Timers) {
        let reader = mapping.reader
        let what = "the virtual services of '\(node.name.value)'"
        virtualServices = NodeDefinition.named(mapping["virtual-services"], what, reader)
            .compactMap { VirtualServiceDefinition($0, pools: mapping["pools"], timers: timers, reader) }
        checkSharedPools(reader)
    }

    /// A pool that another service uses as well is none for direct server return.
    private func checkSharedPools(_ reader: LabReader) {
        for service in virtualServices where service.directReturn != nil {
            guard let pool = service.poolName,
                let other = virtualServices.first(where: {
                    $0.poolName?.value == pool.value && $0.name.value != service.name.value
                })
            else { continue }
            reader.report(
                "virtual service '\(service.name.value)' has 'dsr', but shares pool '\(pool.value)' with '\(other.name.value)': direct server return does not support pool sharing",
                at: pool.position, allowed: ["a pool of its own"])
        }
    }

    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)? {
        let name = node.name.value
        if virtualServices.isEmpty {
            resolution.reader.report("load balancer '\(name)' has no virtual service", at: node.name.position)
        }
        return LoadBalancerConfiguration(
            name: name, ports: ports, routes: routes,
            services: virtualServices.map { resolution.service($0, of: name) })
    }
}

extension NodeDefinition {
    /// None of other roles.
    var virtualServices: [VirtualServiceDefinition] { (own as? LoadBalancerDefinition)?.virtualServices ?? [] }
}

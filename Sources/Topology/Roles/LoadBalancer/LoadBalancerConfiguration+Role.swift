import Appliances
package import Configuration
package import LabEvents
package import Wire

extension LoadBalancerConfiguration: ResolvedRole {
    package static var key: String { "loadBalancer" }
    package static var isBox: Bool { true }
    package var word: String { RoleForm.loadBalancer.word }
    package func eventReporters(of node: Node) -> [EventReporter] { [.loadBalancer] }

    package func counterScope(of node: Node) -> CounterScope {
        var scope = CounterScope(self)
        scope.add(CounterScope(hostSideOf: self))
        return scope
    }

    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? {
        let names = ports.map(\.name)
        guard let capacity = use.capacity else { return try use.use(LoadBalancer(self), ports: names) }
        return try use.use(LoadBalancer(self, flowCapacity: capacity), ports: names)
    }

    /// Its proxies answer for their members.
    package var passesFrames: Bool { !services.contains { $0.profile.endsAtHostSide } }

    /// The host side accepts connections to what a proxy listens on, and to the sources from which it asks members.
    package var hostSideAddresses: [(address: IPAddress, reason: String)] {
        services.filter(\.profile.endsAtHostSide).flatMap { service in
            [(address: service.address, reason: "the proxy of virtual service \(service.name) listens on it")]
                + (service.http?.sourceAddresses ?? []).map {
                    (address: $0, reason: "virtual service \(service.name) asks its members from it (SNAT pool)")
                }
        }
    }

    package var virtualServices: [VirtualServiceConfiguration] { services }
}

extension Node.Role {
    /// nil of another role.
    package var loadBalancer: LoadBalancerConfiguration? { configuration as? LoadBalancerConfiguration }
}

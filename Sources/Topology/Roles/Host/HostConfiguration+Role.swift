import Appliances
package import Configuration
package import LabEvents

extension HostConfiguration: ResolvedRole {
    package static var key: String { "host" }
    package static var isBox: Bool { false }
    package var word: String { kind.rawValue }

    package func eventReporters(of node: Node) -> [EventReporter] {
        trackedRoutes.isEmpty ? [] : [.routeTracker]
    }

    /// Its process reports what its tunnel does instead of its kernel's counters.
    package func counterScope(of node: Node) -> CounterScope {
        guard let tunnel = node.tunnel, !tunnel.isKernels else { return .kernel }
        return CounterScope(tunnel.endpoint)
    }

    /// Where its tunnels end, if that is not in the kernel.
    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? {
        guard let tunnel = node.tunnel, !tunnel.isKernels else { return nil }
        return try use.use(TunnelEndpoint(tunnel.endpoint), ports: tunnel.endpoint.ports.map(\.name))
    }

    package var forwardsInKernel: Bool { kind == .router }
}

extension Node.Role {
    /// nil of another role.
    package var host: HostConfiguration? { configuration as? HostConfiguration }
}

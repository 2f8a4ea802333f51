import Appliances
import Configuration
import LabEvents

extension HostConfiguration: ResolvedRole {
    var word: String { kind.rawValue }
    var isBox: Bool { false }

    func eventReporters(of node: Node) -> [EventReporter] {
        (trackedRoutes.isEmpty ? [] : [.routeTracker]) + (node.programs.isEmpty ? [] : [.programHost])
    }

    /// Its process reports what its tunnel does instead of its kernel's counters.
    func counterScope(of node: Node) -> CounterScope {
        guard let tunnel = node.tunnel, !tunnel.isKernels else { return .kernel }
        return CounterScope(tunnel.endpoint)
    }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {
        if let tunnel = node.tunnel, !tunnel.isKernels { _ = try TunnelEndpoint(tunnel.endpoint) }
    }
}

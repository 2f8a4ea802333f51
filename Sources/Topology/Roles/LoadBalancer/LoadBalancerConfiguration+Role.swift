import Appliances
import Configuration
import LabEvents

extension LoadBalancerConfiguration: ResolvedRole {
    var word: String { RoleForm.loadBalancer.word }
    var isBox: Bool { true }
    func eventReporters(of node: Node) -> [EventReporter] { [.loadBalancer] }

    func counterScope(of node: Node) -> CounterScope {
        var scope = CounterScope(self)
        scope.add(CounterScope(hostSideOf: self))
        return scope
    }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {
        _ = try LoadBalancer(self, flowCapacity: capacity)
    }
}

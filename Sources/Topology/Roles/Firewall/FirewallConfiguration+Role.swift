import Appliances
import Configuration
import LabEvents

extension FirewallConfiguration: ResolvedRole {
    var word: String { RoleForm.firewall.word }
    var isBox: Bool { true }
    func eventReporters(of node: Node) -> [EventReporter] { [.firewall] }
    func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {
        _ = try Firewall(self, sessionCapacity: capacity)
    }
}

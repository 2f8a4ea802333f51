import Appliances
import Configuration
import LabEvents

extension GatewayFirewallConfiguration: ResolvedRole {
    var word: String { RoleForm.gatewayFirewall.word }
    var isBox: Bool { true }
    func eventReporters(of node: Node) -> [EventReporter] { [.gatewayFirewall] }
    func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {
        _ = try GatewayFirewall(self, stateCapacity: capacity)
    }
}

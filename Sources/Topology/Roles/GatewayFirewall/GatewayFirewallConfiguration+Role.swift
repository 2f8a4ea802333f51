import Appliances
package import Configuration
package import LabEvents

extension GatewayFirewallConfiguration: ResolvedRole {
    package static var key: String { "gatewayFirewall" }
    package static var isBox: Bool { true }
    package var word: String { RoleForm.gatewayFirewall.word }
    package var joinsNetworks: Bool { mode == .transparent }
    package func eventReporters(of node: Node) -> [EventReporter] { [.gatewayFirewall] }
    package func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? {
        let names = ports.map(\.name)
        guard let capacity = use.capacity else { return try use.use(GatewayFirewall(self), ports: names) }
        return try use.use(GatewayFirewall(self, stateCapacity: capacity), ports: names)
    }
}

extension Node.Role {
    /// nil of another role.
    package var gatewayFirewall: GatewayFirewallConfiguration? { configuration as? GatewayFirewallConfiguration }
}

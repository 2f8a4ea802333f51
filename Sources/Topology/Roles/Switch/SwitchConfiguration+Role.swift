import Appliances
package import Configuration
package import LabEvents

extension SwitchConfiguration: ResolvedRole {
    package static var key: String { "switch" }
    package static var isBox: Bool { true }
    package var word: String { RoleForm.switch.word }
    package var joinsNetworks: Bool { true }
    package func eventReporters(of node: Node) -> [EventReporter] { [.switch] }
    package func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? {
        var own = self
        if let capacity = use.capacity { own.tableSize = min(tableSize, capacity) }
        return try use.use(Switch(own), ports: ports.map(\.name))
    }
}

extension Node.Role {
    /// nil of another role.
    package var `switch`: SwitchConfiguration? { configuration as? SwitchConfiguration }
}

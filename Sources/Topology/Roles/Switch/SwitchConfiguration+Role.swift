import Appliances
import Configuration
import LabEvents

extension SwitchConfiguration: ResolvedRole {
    var word: String { RoleForm.switch.word }
    var isBox: Bool { true }
    func eventReporters(of node: Node) -> [EventReporter] { [.switch] }
    func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {
        var small = self
        small.tableSize = min(tableSize, capacity)
        _ = try Switch(small)
    }
}

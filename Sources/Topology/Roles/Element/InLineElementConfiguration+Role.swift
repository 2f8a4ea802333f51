import Appliances
import Configuration
import LabEvents

extension InLineElementConfiguration: ResolvedRole {
    var word: String { "in-line-element" }
    var isBox: Bool { false }
    func eventReporters(of node: Node) -> [EventReporter] { [] }
    func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    func make(of node: Node, capacity: Int) throws(ConfigurationError) {}
}

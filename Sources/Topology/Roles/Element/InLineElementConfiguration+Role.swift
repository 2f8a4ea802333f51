import Appliances
package import Configuration
package import LabEvents

extension InLineElementConfiguration: ResolvedRole {
    package static var key: String { "element" }
    package static var isBox: Bool { false }
    package var word: String { "in-line-element" }
    package func eventReporters(of node: Node) -> [EventReporter] { [] }
    package func counterScope(of node: Node) -> CounterScope { CounterScope(self) }

    /// What compiles the filters of its rules is known only where it runs: the reading of faults has tried them.
    package func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result? { nil }
}

import Appliances
import Impairment
package import LabEvents

/// A fault on single frames begins to act, with its counting anew.
package struct ArmFault: FaultKind {
    package static let event = EventKind.arm
    package static let summary = "it begins to act"
    package static let target = FaultTarget.rule { ArmFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    private enum CodingKeys: String, CodingKey {
        case name = "rule"
        case element
    }

    package var node: String { element }
    package var written: String { name }
    package var details: EventDetails { [.rule: name] }
    package var rule: String? { name }
    package func actions(on node: Node) -> [NodeAction] { [.command(.fault(.arm(name)), node: node.name)] }
}

/// A fault on single frames acts no more.
package struct DisarmFault: FaultKind {
    package static let event = EventKind.disarm
    package static let summary = "it acts no more"
    package static let target = FaultTarget.rule { DisarmFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    private enum CodingKeys: String, CodingKey {
        case name = "rule"
        case element
    }

    package var node: String { element }
    package var written: String { name }
    package var details: EventDetails { [.rule: name] }
    package var rule: String? { name }
    package func actions(on node: Node) -> [NodeAction] { [.command(.fault(.disarm(name)), node: node.name)] }
}

/// Everything that a fault on single frames holds is let go.
package struct ReleaseFault: FaultKind {
    package static let event = EventKind.release
    package static let summary = "it releases every frame that it holds"
    package static let target = FaultTarget.rule { ReleaseFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    private enum CodingKeys: String, CodingKey {
        case name = "rule"
        case element
    }

    package var node: String { element }
    package var written: String { name }
    package var details: EventDetails { [.rule: name] }
    package var rule: String? { name }
    package func actions(on node: Node) -> [NodeAction] { [.command(.fault(.release(name)), node: node.name)] }
}

extension Fault {
    package static func arm(rule: String, element: String) -> Fault { Fault(ArmFault(name: rule, element: element)) }
    package static func disarm(rule: String, element: String) -> Fault {
        Fault(DisarmFault(name: rule, element: element))
    }
    package static func release(rule: String, element: String) -> Fault {
        Fault(ReleaseFault(name: rule, element: element))
    }
}

import Appliances
package import Impairment
package import LabEvents

/// What is done to a fault on single frames.
package protocol RuleFault: FaultKind {
    var name: String { get }
    var element: String { get }
    static func order(_ rule: String) -> FaultOrder
}

extension RuleFault {
    package var node: String { element }
    package var written: String { name }
    package var details: EventDetails { [.rule: name] }
    package var rule: String? { name }
    package func actions(on node: Node) -> [NodeAction] { [.command(.fault(Self.order(name)), node: node.name)] }
}

private enum RuleFaultKeys: String, CodingKey {
    case name = "rule"
    case element
}

/// A fault on single frames begins to act, with its counting anew.
package struct ArmFault: RuleFault {
    private typealias CodingKeys = RuleFaultKeys

    package static let event = EventKind.arm
    package static let summary = "it begins to act"
    package static let target = FaultTarget.rule { ArmFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    package static func order(_ rule: String) -> FaultOrder { .arm(rule) }
}

/// A fault on single frames acts no more.
package struct DisarmFault: RuleFault {
    private typealias CodingKeys = RuleFaultKeys

    package static let event = EventKind.disarm
    package static let summary = "it acts no more"
    package static let target = FaultTarget.rule { DisarmFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    package static func order(_ rule: String) -> FaultOrder { .disarm(rule) }
}

/// Everything that a fault on single frames holds is let go.
package struct ReleaseFault: RuleFault {
    private typealias CodingKeys = RuleFaultKeys

    package static let event = EventKind.release
    package static let summary = "it releases every frame that it holds"
    package static let target = FaultTarget.rule { ReleaseFault(name: $0, element: $1) }

    package var name: String
    package var element: String

    package static func order(_ rule: String) -> FaultOrder { .release(rule) }
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

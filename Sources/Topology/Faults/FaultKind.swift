package import LabEvents

/// A kind of fault of the scenario: what it names, when it is possible, and what is done then. Its line is in
/// `FaultKinds`.
package protocol FaultKind: Hashable, Sendable, Codable {
    /// Its name in messages between processes, by default the lab file's word. It stays.
    static var key: String { get }
    /// The kind of the event that it makes, and the lab file's word.
    static var event: EventKind { get }
    /// What happens, for the reference.
    static var summary: String { get }
    static var target: FaultTarget { get }
    /// What it requires of the node, and what becomes of it.
    static var effect: NodeEffect { get }

    /// The node, or the in-line element.
    var node: String { get }
    /// What it names, as the command has it: `fw-a.inside`
    var written: String { get }
    /// What its event has besides the node.
    var details: EventDetails { get }
    /// Where the cable is plugged in.
    var interface: InterfaceReference? { get }
    /// The fault on single frames. The running lab knows which element has it.
    var rule: String? { get }
    /// Who refuses, where the last action is refused; nil for the node.
    var subject: String? { get }

    /// - Parameter node: in the condition that `effect` requires
    func actions(on node: Node) throws(FaultRefusal) -> [NodeAction]
}

extension FaultKind {
    package static var key: String { event.rawValue }
    package static var effect: NodeEffect { .none }
    package var written: String { node }
    package var details: EventDetails { [:] }
    package var interface: InterfaceReference? { nil }
    package var rule: String? { nil }
    package var subject: String? { nil }

    var hashable: AnyHashable { AnyHashable(self) }
}

/// What a fault requires of a node, and what becomes of it.
package enum NodeEffect: Hashable, Sendable {
    case none
    /// It must run; where a scenario cannot have it so, the lab is refused.
    case needsRunning
    /// It must run when the fault comes.
    case needsRunningThen
    case powersOff, powersOn
    case hangs, resumes
}

/// Why a fault is not possible.
package struct FaultRefusal: Error, Hashable, Sendable {
    package var message: String
    package var remedy: String
}

/// What a fault names, and what it becomes.
package enum FaultTarget: Sendable {
    case node(@Sendable (_ node: String) -> any FaultKind)
    case firewallOfPair(@Sendable (_ node: String) -> any FaultKind)
    case interface(@Sendable (InterfaceReference) -> any FaultKind)
    case program(@Sendable (ProgramReference) -> any FaultKind)
    /// A fault on single frames, and the element that it is on.
    case rule(@Sendable (_ rule: String, _ element: String) -> any FaultKind)
    /// A pool member with its weight.
    case weight

    /// As messages and the command describe it, for the reference with an example.
    var form: (written: String, needs: String, reference: String) {
        switch self {
        case .node: ("node", "a node, as in fw-a", "a node")
        case .firewallOfPair: ("node", "a node, as in fw-a", "a firewall of a pair")
        case .interface: ("node.interface", "an interface, as in fw-a.inside", "`node.interface`")
        case .program: ("node/program", "a program, as in lb/bird", "`node/program`")
        case .rule: ("fault", "a fault on single frames", "an [exact fault](faults.md)")
        case .weight:
            (
                "balancer/service/member=weight", "a member and its weight, as in lb/web/backend-1=3",
                "`lb/web/backend-1=3`"
            )
        }
    }
}

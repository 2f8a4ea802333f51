/// A kind of fault of the scenario. Its line is in `FaultKinds`.
package protocol FaultKind: NodeStepKind {
    static var target: FaultTarget { get }
}

/// What a step requires of a node, and what becomes of it.
package enum NodeEffect: Hashable, Sendable {
    case none
    /// It must run; where a scenario cannot have it so, the lab is refused.
    case needsRunning
    /// It must run when the fault comes.
    case needsRunningThen
    case powersOff, powersOn
    case hangs, resumes
}

/// Why a step is not possible.
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

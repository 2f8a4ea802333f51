/// How a fault of the scenario is written, and what it becomes.
struct FaultForm: Sendable {
    /// What a fault names.
    enum Target: Sendable {
        case node(@Sendable (_ node: String) -> Fault)
        case firewallOfPair(@Sendable (_ node: String) -> Fault)
        case interface(@Sendable (InterfaceReference) -> Fault)
        case program(@Sendable (ProgramReference) -> Fault)
        /// A fault on single frames, and the element that it is on.
        case rule(@Sendable (_ rule: String, _ element: String) -> Fault)
        /// A pool member with its weight.
        case weight
    }

    var kind: Fault.Kind
    /// What happens, for the reference.
    var summary: String
    var target: Target

    init(_ kind: Fault.Kind, _ summary: String, _ target: Target) {
        self.kind = kind
        self.summary = summary
        self.target = target
    }
}

enum FaultForms {
    /// One line a kind of fault, in the order in which messages list them.
    static let table: [FaultForm] = [
        .init(.switchover, "it hands over and stays alive as standby", .firewallOfPair { .switchover(node: $0) }),
        .init(.powerOff, "a crash: its process dies and its links lose carrier", .node { .powerOff(node: $0) }),
        .init(.powerOn, "starts it again", .node { .powerOn(node: $0) }),
        .init(.linkDown, "the link loses carrier", .interface { .linkDown($0) }),
        .init(.linkUp, "the link regains carrier", .interface { .linkUp($0) }),
        .init(.hang, "its process stops; its links stay up", .node { .hang(node: $0) }),
        .init(.resume, "its process goes on", .node { .resume(node: $0) }),
        .init(.kill, "SIGKILL for it and its children", .program { .kill($0) }),
        .init(.start, "starts it again", .program { .startProgram($0) }),
        .init(.arm, "it begins to act", .rule { .arm(rule: $0, element: $1) }),
        .init(.disarm, "it acts no more", .rule { .disarm(rule: $0, element: $1) }),
        .init(.release, "it releases every frame that it holds", .rule { .release(rule: $0, element: $1) }),
        .init(.weight, "sets the weight of a pool member to 3", .weight),
    ]
}

extension FaultForm.Target {
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

extension Fault.Kind {
    /// Every kind has a line; a test sees to it.
    var target: FaultForm.Target {
        guard let form = FaultForms.table.first(where: { $0.kind == self }) else {
            preconditionFailure("no form of \(rawValue)")
        }
        return form.target
    }

    /// What the command needs as its target: `an interface, as in fw-a.inside`
    public var needs: String { target.form.needs }
}

extension Fault {
    /// As the command has it: `link-down fw-a.inside`. The running lab knows which element has a rule.
    public init?(_ kind: Kind, of text: String) {
        switch kind.target {
        case .node(let make), .firewallOfPair(let make): self = make(text)
        case .rule(let make): self = make(text, "")
        case .weight: self.init(weight: text)
        case .program(let make):
            guard let program = ProgramReference(text) else { return nil }
            self = make(program)
        case .interface(let make):
            guard let dot = text.firstIndex(of: "."), dot != text.startIndex else { return nil }
            let interface = String(text[text.index(after: dot)...])
            self = make(InterfaceReference(node: String(text[..<dot]), interface: interface))
        }
    }
}

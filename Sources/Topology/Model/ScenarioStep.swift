public import Expectation
public import LabEvents

/// One step of a scenario.
public enum ScenarioStep: Hashable, Sendable, Codable {
    /// Starts traffic programs, together.
    case start([String])
    case stop([String])
    case wait(Duration)
    /// Waits until an event of that name has happened; that it does not within the time is a failure of the lab.
    case waitFor(event: String, within: Duration)
    /// Waits until a node's counter is as told; that makes an event of that name.
    case waitForCounter(CounterExpectation, as: String, within: Duration)
    /// Makes something fail, or come back; the event gets that name.
    case fail(Fault, as: String)
    /// Changes what firewalls let through; the event gets that name.
    case push(Push, as: String)
}

/// Something that a scenario does to a node.
public enum Fault: Hashable, Sendable, Codable {
    /// The Active of a pair hands over and stays alive as standby.
    case switchover(node: String)
    /// A crash: the node's process is killed and its links lose their carrier.
    case powerOff(node: String)
    /// Starts a node that was powered off.
    case powerOn(node: String)
    case linkDown(InterfaceReference)
    case linkUp(InterfaceReference)
    /// The node's process is stopped (SIGSTOP) and keeps its carrier.
    case hang(node: String)
    case resume(node: String)
    /// A third-party program gets SIGKILL, with all that it started.
    case kill(ProgramReference)
    /// Starts a program that was killed.
    case startProgram(ProgramReference)
    /// A fault on single frames begins to act, with its counting anew.
    case arm(rule: String, element: String)
    case disarm(rule: String, element: String)
    /// Everything that the rule holds is let go.
    case release(rule: String, element: String)
    /// A pool member gets another weight.
    case weight(node: String, service: String, member: String, weight: Int)

    /// The lab's word, which is also the kind of the event.
    public enum Kind: RawRepresentable, Hashable, Sendable, Codable, CaseIterable {
        case switchover
        case powerOff
        case powerOn
        case linkDown
        case linkUp
        case hang
        case resume
        case kill
        case start
        case arm
        case disarm
        case release
        case weight

        /// The kind of the event that the fault makes.
        public var event: EventKind {
            switch self {
            case .switchover: .switchover
            case .powerOff: .powerOff
            case .powerOn: .powerOn
            case .linkDown: .linkDown
            case .linkUp: .linkUp
            case .hang: .hang
            case .resume: .resume
            case .kill: .kill
            case .start: .start
            case .arm: .arm
            case .disarm: .disarm
            case .release: .release
            case .weight: .weight
            }
        }

        public var rawValue: String { event.rawValue }

        public init?(rawValue: String) {
            guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
            self = kind
        }
    }

    public var kind: Kind {
        switch self {
        case .switchover: .switchover
        case .powerOff: .powerOff
        case .powerOn: .powerOn
        case .linkDown: .linkDown
        case .linkUp: .linkUp
        case .hang: .hang
        case .resume: .resume
        case .kill: .kill
        case .startProgram: .start
        case .arm: .arm
        case .disarm: .disarm
        case .release: .release
        case .weight: .weight
        }
    }

    /// The node, or the in-line element.
    public var node: String {
        switch self {
        case .switchover(let node), .powerOff(let node), .powerOn(let node), .hang(let node), .resume(let node): node
        case .linkDown(let interface), .linkUp(let interface): interface.node
        case .weight(let node, _, _, _): node
        case .kill(let program), .startProgram(let program): program.node
        case .arm(_, let element), .disarm(_, let element), .release(_, let element): element
        }
    }

    /// Of a fault on a cable, where it is plugged in.
    public var interface: InterfaceReference? {
        switch self {
        case .linkDown(let interface), .linkUp(let interface): interface
        default: nil
        }
    }

    /// The rule that is armed, disarmed or let go.
    public var rule: String? {
        switch self {
        case .arm(let rule, _), .disarm(let rule, _), .release(let rule, _): rule
        default: nil
        }
    }
}

extension Fault {
    /// `lb/web/backend-1=3`: another weight for a pool member.
    public init?(weight text: String) {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let weight = Int(sides[1]), (1...100).contains(weight) else { return nil }
        let parts = sides[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self = .weight(node: parts[0], service: parts[1], member: parts[2], weight: weight)
    }
}

extension Fault: CustomStringConvertible {
    /// `power-off fw-a`, `link-down fw-a.inside`
    public var description: String {
        switch self {
        case .linkDown(let interface), .linkUp(let interface): "\(kind.rawValue) \(interface)"
        case .weight(let node, let service, let member, let weight):
            "\(kind.rawValue) \(node)/\(service)/\(member)=\(weight)"
        case .kill(let program), .startProgram(let program): "\(kind.rawValue) \(program)"
        default: "\(kind.rawValue) \(rule ?? node)"
        }
    }
}

extension ScenarioStep {
    /// The event that it makes.
    public var event: String? {
        switch self {
        case .fail(_, as: let name), .push(_, as: let name), .waitForCounter(_, as: let name, within: _): name
        case .start, .stop, .wait, .waitFor: nil
        }
    }
}

/// One step of a scenario.
public enum ScenarioStep: Hashable, Sendable, Codable {
    /// Starts traffic programs, together.
    case start([String])
    case stop([String])
    case wait(Duration)
    /// Waits until an event of that name has happened; that it does not within the time is a failure of the lab.
    case waitFor(event: String, within: Duration)
    /// Makes something fail, or come back; the event gets that name.
    case fail(Fault, as: String)
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

    /// The lab's word, which is also the kind of the event.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case switchover
        case powerOff = "power-off"
        case powerOn = "power-on"
        case linkDown = "link-down"
        case linkUp = "link-up"
        case hang
        case resume
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
        }
    }

    public var node: String {
        switch self {
        case .switchover(let node), .powerOff(let node), .powerOn(let node), .hang(let node), .resume(let node): node
        case .linkDown(let interface), .linkUp(let interface): interface.node
        }
    }
}

extension Fault: CustomStringConvertible {
    /// `power-off fw-a`, `link-down fw-a.inside`
    public var description: String {
        switch self {
        case .linkDown(let interface), .linkUp(let interface): "\(kind.rawValue) \(interface)"
        default: "\(kind.rawValue) \(node)"
        }
    }
}

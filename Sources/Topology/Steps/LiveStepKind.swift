package import LabEvents

/// A kind of step that does something to a node of the running lab, and is no fault. Its line is in `LiveStepKinds`.
///
///     - { sysctl: { web: { net.ipv4.conf.all.arp_ignore: 1 } }, as: cure }
package protocol LiveStepKind: NodeStepKind {
    /// How it is written, for messages and the reference: `{ node: command }`
    static var form: String { get }
    /// The keys beside its word and `as`.
    static var options: [String] { get }
    /// As the command has it: `web net.ipv4.ip_forward=0`
    static var example: String { get }
    /// Kinds of events that follow from it, named after its own event: `exec.exited`
    static var laterEvents: [EventKind] { get }

    /// nil after a report.
    static func read(_ step: LiveStepReading) -> Self?
}

extension LiveStepKind {
    package static var effect: NodeEffect { .needsRunning }
    package static var options: [String] { [] }
    package static var laterEvents: [EventKind] { [] }
    static var word: String { event.rawValue }
}

enum LiveStepKinds {
    /// One line a kind of step, in the order in which messages list them.
    static let table: [any LiveStepKind.Type] = [
        ExecStep.self,
        SignalStep.self,
        RestartStep.self,
        SysctlStep.self,
        RouteStep.self,
        AddressStep.self,
        RuleStep.self,
        ClearStep.self,
    ]

    static let words = table.map { $0.word }

    static func named(_ word: String) -> (any LiveStepKind.Type)? { table.first { $0.word == word } }
}

/// Steps on nodes, for the command.
public enum LiveSteps {
    public static let words = LiveStepKinds.words
    /// As the command has them: `sysctl web net.ipv4.ip_forward=0`
    public static let examples = LiveStepKinds.table.map { "\($0.word) \($0.example)" }
}

import Configuration
import Expectation
import Impairment
import LabEvents
import LabFile
import Measurement

/// The names that `after`, `wait-for` and `event` may use: the scenario's own, `<node>.<kind>`,
/// `<traffic>.start`, `.answered` and `.stop`, and `<fault>.<kind>`.
struct EventNames {
    private(set) var names: [String]
    private var known: [String: [String]] = [:]
    private var reporters: [String: String] = [:]

    init(
        nodes: [Node], faults: [String], rules: [(element: String, rule: FaultRule)] = [], traffic: [String] = []
    ) {
        names = [Anchor.scenarioBegin] + faults
        names += traffic.flatMap { program in EventKind.kinds(of: .traffic).map { $0.name(of: program) } }
        for (element, rule) in rules {
            for kind in rule.action.eventKinds { add(kind, of: rule.name, from: .exactFault, on: element) }
        }
        for node in nodes {
            for program in node.programs { add(program, of: node.name) }
            for reporter in node.role.configuration.eventReporters(of: node) + [.kernel] {
                for kind in EventKind.kinds(of: reporter) { add(kind, of: node.name, from: reporter, on: node.name) }
            }
        }
    }

    private mutating func add(_ program: ProgramConfiguration, of node: String) {
        let reference = ProgramReference(node: node, program: program.name)
        func details(_ kind: EventKind) -> [String] {
            (kind.details(from: .program) ?? []).map(\.detail.rawValue)
        }
        let kinds = [EventKind.started, .ended] + (program.counters.isEmpty ? [] : [.countersUnread])
        for kind in kinds { add(reference.event(kind.word), details(kind), from: node) }
        for event in program.events {
            add(
                reference.event(event.name), details(.output) + OutputEventReading.groups(of: event.pattern), from: node
            )
        }
    }

    private mutating func add(_ name: String, _ details: [String], from node: String) {
        names.append(name)
        known[name] = details
        reporters[name] = node
    }

    private mutating func add(_ kind: EventKind, of subject: String, from reporter: EventReporter, on node: String) {
        let name = kind.name(of: subject)
        // A list of nodes may be long: never looked for in `names`.
        guard known[name] == nil else { return }
        names.append(name)
        known[name] = kind.details(from: reporter)?.map(\.detail.rawValue) ?? []
        reporters[name] = node
    }

    /// The node or element that reports an event of that name; nil of the scenario's own.
    func reporter(of name: String) -> String? { reporters[name] }

    /// Details that an event of that name may have; nil where that is not known.
    func details(of name: String) -> [String]? { known[name] }

    /// Reports a name that nothing can bear; true where it is known.
    func check(_ name: String, at position: SourcePosition, _ reader: LabReader) -> Bool {
        if names.contains(name) { return true }
        let node = name.split { $0 == "." || $0 == "/" }.first.map(String.init) ?? ""
        let near = names.filter { !$0.contains(".") || $0.hasPrefix(node + ".") || $0.hasPrefix(node + "/") }
        reader.report(
            "there is no event '\(LabValue.shortened(name))'", at: position,
            allowed: near.isEmpty ? ["node.kind, such as \(EventKind.active.name(of: "fw-b"))"] : near,
            suggestion: Spelling.nearest(to: name, among: names))
        return false
    }
}

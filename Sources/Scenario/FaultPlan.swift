internal import LabEvents
internal import LabFile
internal import Topology

/// What a fault is in the lab: its event, and then what is done to which node.
struct FaultPlan: Hashable, Sendable {
    let event: ScenarioEvent
    let actions: [NodeAction]
    /// Who refuses, where the last action is refused.
    let subject: String

    /// - Parameter name: the event's name; nil for the fault's own word
    /// - Throws: why the fault is not possible; nothing has happened then
    init(
        _ fault: Fault, as name: String?, of nodes: NodeTable, _ rules: FrameFaultTable
    ) throws(ScenarioFailure) {
        let target: Node
        if let rule = fault.value.rule {
            guard let element = rules.element(of: rule), let found = nodes[element] else {
                throw Self.unknownRule(rule, among: rules.names)
            }
            target = found
        } else {
            guard let found = nodes[fault.node] else {
                throw .unknown("node", fault.node, among: nodes.names.sorted())
            }
            target = found
            try Self.check(fault, on: target, nodes.condition(of: target.name))
        }
        let name = name ?? fault.word
        do throws(FaultRefusal) {
            actions = try fault.value.actions(on: target).map { $0.named(name) }
        } catch {
            throw ScenarioFailure(.lab, error.message, remedy: error.remedy)
        }
        subject = fault.value.subject ?? target.name
        event = ScenarioEvent(name, fault.event, node: target.name, fault.value.details)
    }

    /// Whether the node is there, and in the condition that the fault requires.
    private static func check(
        _ fault: Fault, on node: Node, _ condition: NodeCondition
    ) throws(ScenarioFailure) {
        // Nothing happens to an interface that is not there.
        if let interface = fault.value.interface, node.interface(named: interface.interface) == nil {
            throw .unknown("interface", "\(interface)", among: node.interfaces.map { "\(node.name).\($0.name)" })
        }
        func refuse(_ reason: String) -> ScenarioFailure {
            ScenarioFailure(.lab, "\(fault.word) of '\(fault.node)' is not possible: it \(reason)")
        }
        switch type(of: fault.value).effect {
        case .needsRunning, .needsRunningThen:
            if condition == .poweredOff { throw refuse("is powered off") }
            if condition == .hung { throw refuse("hangs") }
        case .powersOff: if condition == .poweredOff { throw refuse("is powered off already") }
        case .powersOn: if condition != .poweredOff { throw refuse("is not powered off") }
        case .hangs:
            if condition == .poweredOff { throw refuse("is powered off") }
            // What it was before would be forgotten.
            if condition == .hung { throw refuse("hangs already") }
        case .resumes: if condition != .hung { throw refuse("does not hang") }
        case .none: break
        }
    }

    private static func unknownRule(_ rule: String, among known: [String]) -> ScenarioFailure {
        known.isEmpty
            ? ScenarioFailure(
                .usage, "there is no fault '\(rule)' on single frames",
                remedy: "this lab has none; see 'faults:' in its lab file")
            : .unknown("fault on single frames", rule, among: known)
    }
}

extension ScenarioFailure {
    /// A name that somebody typed and nothing has.
    package static func unknown(_ what: String, _ name: String, among known: [String]) -> ScenarioFailure {
        let nearest = Spelling.nearest(to: name, among: known)
        return ScenarioFailure(
            .usage, "there is no \(what) '\(name)'",
            remedy: nearest.map { "did you mean '\($0)'?" } ?? "these are: \(known.joined(separator: ", "))")
    }
}

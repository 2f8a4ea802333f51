internal import Appliances
internal import Configuration
internal import Impairment
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
        let node: String
        if let rule = fault.rule {
            guard let element = rules.element(of: rule), nodes[element] != nil else {
                throw Self.unknownRule(rule, among: rules.names)
            }
            (node, subject) = (element, element)
            actions = [.command(.fault(Self.order(fault, rule)), node: element)]
        } else {
            guard let target = nodes[fault.node] else {
                throw .unknown("node", fault.node, among: nodes.names.sorted())
            }
            node = fault.node
            subject = Self.program(of: fault).map { "\($0)" } ?? fault.node
            actions = try Self.actions(fault, on: target, nodes.condition(of: node))
        }
        event = ScenarioEvent(name ?? fault.kind.rawValue, fault.kind.event, node: node, fault.details)
    }

    private static func order(_ fault: Fault, _ rule: String) -> FaultOrder {
        switch fault {
        case .disarm: .disarm(rule)
        case .release: .release(rule)
        default: .arm(rule)
        }
    }

    private static func program(of fault: Fault) -> ProgramReference? {
        switch fault {
        case .kill(let program), .startProgram(let program): program
        default: nil
        }
    }

    private static func actions(
        _ fault: Fault, on node: Node, _ condition: NodeCondition
    ) throws(ScenarioFailure) -> [NodeAction] {
        // Nothing happens to an interface that is not there.
        if let interface = fault.interface, node.interface(named: interface.interface) == nil {
            throw .unknown("interface", "\(interface)", among: node.interfaces.map { "\(node.name).\($0.name)" })
        }
        func refuse(_ reason: String) -> ScenarioFailure {
            ScenarioFailure(.lab, "\(fault.kind.rawValue) of '\(fault.node)' is not possible: it \(reason)")
        }
        func checkRuns() throws(ScenarioFailure) {
            if condition == .poweredOff { throw refuse("is powered off") }
            if condition == .hung { throw refuse("hangs") }
        }
        switch fault {
        case .switchover:
            try checkRuns()
            return [.command(.switchover, node: node.name)]
        case .weight(_, let service, let member, let weight):
            try checkRuns()
            return [.command(.weight(service: service, member: member, weight: weight), node: node.name)]
        case .powerOff:
            if condition == .poweredOff { throw refuse("is powered off already") }
            // A box first: it would see its links go one after the other and still hand over. A host's links first: its
            // kernel would still close its connections.
            let links = NodeAction.setLinks(node: node.name, isUp: false)
            let kill = NodeAction.kill(node: node.name)
            if node.hasWireSide { return [kill, links] }
            // Programs would see the links go, and react.
            return (node.programs.isEmpty ? [] : [.freeze(node: node.name)]) + [links, kill]
        case .powerOn:
            guard condition == .poweredOff else { throw refuse("is not powered off") }
            return [.setLinks(node: node.name, isUp: true), .start(node: node.name)]
        case .linkDown(let reference): return [.setLink(reference, isUp: false)]
        case .linkUp(let reference): return [.setLink(reference, isUp: true)]
        case .hang:
            if condition == .poweredOff { throw refuse("is powered off") }
            // What it was before would be forgotten.
            if condition == .hung { throw refuse("hangs already") }
            return [.stop(node: node.name)]
        case .resume:
            guard condition == .hung else { throw refuse("does not hang") }
            return [.resume(node: node.name)]
        case .kill(let program), .startProgram(let program):
            try checkRuns()
            guard node.programs.contains(where: { $0.name == program.program }) else {
                let known = node.programs.map(\.name).joined(separator: ", ")
                throw ScenarioFailure(
                    .lab, "'\(program.node)' has no program '\(program.program)'",
                    remedy: known.isEmpty ? "it has none" : "it has \(known)")
            }
            return [fault.kind == .kill ? .killProgram(program) : .startProgram(program)]
        case .arm, .disarm, .release: return []  // carried out by the impairment link, see `init`
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

extension Fault {
    /// What its event says besides the node.
    fileprivate var details: EventDetails {
        switch self {
        case .linkDown(let reference), .linkUp(let reference): [.interface: reference.interface]
        case .arm(let rule, _), .disarm(let rule, _), .release(let rule, _): [.rule: rule]
        case .weight(_, let service, let member, let weight):
            [.service: service, .member: member, .weight: "\(weight)"]
        case .kill(let program), .startProgram(let program): [.program: program.program]
        case .switchover, .powerOff, .powerOn, .hang, .resume: [:]
        }
    }
}

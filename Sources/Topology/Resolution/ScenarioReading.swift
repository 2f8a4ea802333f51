import Configuration
import Expectation
import Impairment
import LabEvents
import LabFile
import LabTime

/// Reads `scenario:`.
struct ScenarioReading {
    let reader: LabReader
    let nodes: [Node]
    /// Faults on single frames, with the elements that they are on.
    let rules: [(element: String, rule: FaultRule)]
    /// The lab's words for its traffic programs.
    let traffic: [String]
    /// Changes of firewalls' policies, by their names.
    let pushes: [LabPush]
    let references: ReferenceTable

    private(set) var steps: [ScenarioStep] = []
    private(set) var events = EventNames(nodes: [], faults: [], traffic: [])
    /// Programs that are started at some time; all of them where a mistake hides which.
    private(set) var started: Set<String> = []
    private var running: Set<String> = []
    private var states: NodeStates

    private static let counterEvent = EventKind.counter.rawValue
    private static let actions = ["start", "stop", "wait", "wait-for", "fail", "push"] + LiveStepKinds.words
    private static let longestWait: ClosedRange<Duration> = .zero...(.seconds(86_400))

    /// - Parameter origins: the node that each traffic program starts at, as far as it is known
    init(
        _ value: LabValue?, nodes: [Node], rules: [(element: String, rule: FaultRule)], traffic: [String],
        origins: [String: String], pushes: [LabPush] = [],
        references: ReferenceTable = ReferenceTable(), _ reader: LabReader
    ) {
        self.reader = reader
        states = NodeStates(origins: origins, reader)
        self.nodes = nodes
        self.rules = rules
        self.traffic = traffic
        self.pushes = pushes
        self.references = references
        // Of a lab without a scenario, too: faults may wait for each other's events.
        events = EventNames(nodes: nodes, faults: [], rules: rules, traffic: traffic)
        guard let value else { return }
        guard let elements = value.elements else {
            reader.report("the scenario is \(value.found)", at: value.position, allowed: ["a list of steps"])
            return
        }
        let before = reader.reports
        let steps = flattened(elements)
        events = EventNames(nodes: nodes, faults: faultNames(steps), rules: rules, traffic: traffic)
        for step in steps { if let step = read(step) { self.steps.append(step) } }
        states.finish()
        if reader.reports > before { started.formUnion(traffic) }
    }

    /// A list within the list is as if its steps stood there: so an anchor can hold several.
    private func flattened(_ elements: [LabValue]) -> [LabValue] {
        elements.flatMap { $0.elements.map(flattened) ?? [$0] }
    }

    private func faultNames(_ steps: [LabValue]) -> [String] {
        steps.flatMap { step -> [String] in
            let name =
                step["fail"].flatMap { fault in step["as"]?.text ?? fault.entries?.first?.key }
                ?? step["push"].map { _ in step["as"]?.text ?? EventKind.push.rawValue }
                ?? (step["wait-for"]?.entries).map { _ in step["as"]?.text ?? Self.counterEvent }
            return name.map { [$0] } ?? Self.liveStepEvents(step)
        }
    }

    private mutating func read(_ step: LabValue) -> ScenarioStep? {
        guard let entries = step.entries, let action = entries.first(where: { Self.actions.contains($0.key) }) else {
            let key = step.entries?.first?.key ?? step.text ?? ""
            reader.reportUnknown(
                key, "a step of the scenario is \(step.entries == nil ? step.found : "'\(LabValue.shortened(key))'")",
                at: step.entries?.first?.keyPosition ?? step.position, allowed: Self.actions)
            return nil
        }
        if LiveStepKinds.named(action.key) != nil { return readLiveStep(step) }
        let waitsForCounter = action.key == "wait-for" && action.value.entries != nil
        let more =
            (action.key == "fail" || action.key == "push" || waitsForCounter ? ["as"] : [])
            + (action.key == "wait-for" ? ["within"] : [])
        guard let mapping = MappingReader(step, "a '\(action.key)' step", keys: [action.key] + more, reader),
            let value = mapping.required(action.key)
        else { return nil }
        switch action.key {
        case "start":
            let names = programs(value)
            for name in names where !running.insert(name).inserted {
                reader.report("'\(name)' runs already", at: value.position)
            }
            started.formUnion(names)
            states.start(names, at: value.position)
            return .start(names)
        case "stop":
            let names = programs(value)
            for name in names where running.remove(name) == nil {
                reader.report("'\(name)' does not run here", at: value.position)
            }
            states.stop(names, at: value.position)
            return .stop(names)
        case "wait":
            return reader.duration(value, of: "a wait", in: Self.longestWait).map { .wait($0) }
        case "wait-for" where !waitsForCounter:
            guard let name = reader.text(value, of: "'wait-for'"), events.check(name, at: value.position, reader) else {
                return nil
            }
            return .waitFor(event: name, within: mapping.duration("within", in: Self.longestWait) ?? .seconds(10))
        default:
            let step: ScenarioStep?
            if action.key == "wait-for" {
                step = counter(value).map {
                    .waitForCounter(
                        $0, as: mapping.text("as") ?? Self.counterEvent,
                        within: mapping.duration("within", in: Self.longestWait) ?? .seconds(10))
                }
            } else if action.key == "push" {
                step = PushReading(nodes: nodes, pushes: pushes, reader: reader).read(value).map {
                    .push($0, as: mapping.text("as") ?? EventKind.push.rawValue)
                }
            } else {
                guard let fault = fault(value) else { return nil }
                states.inject(fault, at: value.entries?.first?.value.position ?? value.position)
                step = .fail(fault, as: mapping.text("as") ?? fault.word)
            }
            guard let step, let name = step.event else { return nil }
            let position = mapping["as"]?.position ?? value.position
            guard NameRule.word.check(name, "an event", at: position, reader) else { return nil }
            return isNew(name, at: position) ? step : nil
        }
    }

    private mutating func readLiveStep(_ value: LabValue) -> ScenarioStep? {
        guard let (step, own) = Self.liveStep(value, nodes, references, reader) else { return nil }
        let (name, position) = (own ?? step.word, value["as"]?.position ?? value.position)
        states.inject(step, at: value.position)
        return isNew(name, at: position) ? .fail(step, as: name) : nil
    }

    /// Reports an event of the scenario that an earlier step makes.
    private func isNew(_ name: String, at position: SourcePosition) -> Bool {
        guard steps.contains(where: { $0.event == name }) else { return true }
        reader.report("an event '\(name)' happens twice", at: position, allowed: ["another name, by 'as'"])
        return false
    }

    /// `{ counter: { of: fw-b, name: sessions, is: ">= 1000" } }`
    private func counter(_ value: LabValue) -> CounterExpectation? {
        guard let mapping = MappingReader(value, "what is waited for", keys: ["counter"], reader),
            let counter = mapping.required("counter"),
            let wanted = CounterExpectationReading(reader: reader, nodes: nodes).read(
                counter, "a counter that is waited for")
        else { return nil }
        states.ask(wanted.node, at: value.position)
        return wanted
    }

    private func programs(_ value: LabValue) -> [String] {
        reader.list(value).compactMap { element in
            if let text = element.text, traffic.contains(text) { return text }
            reader.reportUnknown(
                element.text ?? "", "there is no traffic program \(element.found)", at: element.position,
                allowed: traffic)
            return nil
        }
    }

    /// `{ switchover: fw-a }`, `{ link-down: fw-a.inside }`
    private func fault(_ value: LabValue) -> Fault? {
        let kinds = Fault.Kind.allCases.map(\.rawValue)
        guard let entries = value.entries, let entry = entries.first, entries.count == 1 else {
            reader.report(
                "'fail' is \(value.found)", at: value.position,
                allowed: Fault.Kind.allCases.map { "{ \($0.rawValue): \($0.type.target.form.written) }" })
            return nil
        }
        guard let kind = Fault.Kind(rawValue: entry.key) else {
            reader.reportUnknown(
                entry.key, "unknown fault '\(LabValue.shortened(entry.key))'", at: entry.keyPosition, allowed: kinds)
            return nil
        }
        let made: (any FaultKind)? =
            switch kind.type.target {
            case .node(let make): node(entry.value, kind).map { make($0.name) }
            case .firewallOfPair(let make): firewallOfPair(entry.value, kind).map(make)
            case .interface(let make):
                InterfaceReading(nodes: nodes, reader: reader).read(entry.value, of: kind.rawValue).map(make)
            case .program(let make): program(entry.value, kind).map(make)
            case .rule(let make): rule(entry.value, kind).map { make($0.rule.name, $0.element) }
            case .weight: weight(entry.value)
            }
        return made.map { Fault($0) }
    }

    private func program(_ value: LabValue, _ kind: Fault.Kind) -> ProgramReference? {
        let known = nodes.flatMap { node in
            node.programs.map { ProgramReference(node: node.name, program: $0.name) }
        }
        if let program = value.text.flatMap({ ProgramReference($0) }), known.contains(program) {
            let programs = nodes.first { $0.name == program.node }?.programs ?? []
            guard kind.type is KillFault.Type,
                programs.contains(where: { $0.name == program.program && $0.endsByItself })
            else { return program }
            reader.report(
                "'\(program)' ends by itself when it has done its work", at: value.position,
                allowed: ["a program that runs on"])
            return nil
        }
        reader.reportUnknown(
            value.text ?? "", "\(kind.rawValue) names \(value.found), which is no program of a node",
            at: value.position,
            allowed: known.isEmpty ? ["node/program; this lab has none"] : known.map(\.description))
        return nil
    }

    private func rule(_ value: LabValue, _ kind: Fault.Kind) -> (element: String, rule: FaultRule)? {
        if let name = value.text, let found = rules.first(where: { $0.rule.name == name }) { return found }
        reader.reportUnknown(
            value.text ?? "", "\(kind.rawValue) names \(value.found), which is none of the lab's 'faults'",
            at: value.position, allowed: rules.map(\.rule.name))
        return nil
    }

    private func node(_ value: LabValue, _ kind: Fault.Kind) -> Node? {
        if let name = value.text, let node = nodes.first(where: { $0.name == name }) { return node }
        reader.reportUnknown(
            value.text ?? "", "\(kind.rawValue) names \(value.found), which is no node", at: value.position,
            allowed: nodes.map(\.name))
        return nil
    }

    private func firewallOfPair(_ value: LabValue, _ kind: Fault.Kind) -> String? {
        guard let node = node(value, kind) else { return nil }
        if node.role.firewall?.redundancy != nil { return node.name }
        let pairs = nodes.filter { $0.role.firewall?.redundancy != nil }
        reader.report(
            "'\(node.name)' has no peer to switch over to", at: value.position,
            allowed: pairs.isEmpty ? ["a firewall of a pair; this lab has none"] : pairs.map(\.name))
        return nil
    }

    /// `lb/web/backend-1=3`
    private func weight(_ value: LabValue) -> WeightFault? {
        let members = nodes.flatMap { node -> [String] in
            node.role.configuration.virtualServices.flatMap { service in
                service.members.map { "\(node.name)/\(service.name)/\($0.name)" }
            }
        }
        guard let text = value.text, let fault = WeightFault(text),
            members.contains(String(text.prefix { $0 != "=" }))
        else {
            reader.report(
                "weight is \(value.found)", at: value.position,
                allowed: members.map { "\($0)=1 to 100" },
                suggestion: value.text.flatMap { Spelling.nearest(to: String($0.prefix { $0 != "=" }), among: members) }
            )
            return nil
        }
        return fault
    }
}

/// Reads `lb.inside`.
struct InterfaceReading {
    let nodes: [Node]
    /// Their ports count as interfaces too: `lb.servers.near`.
    var elements: [CableElement] = []
    /// What comes out of a tunnel can be captured, but no cable is pulled there.
    var allowsTunnels = false
    let reader: LabReader

    func read(_ value: LabValue, of what: String) -> InterfaceReference? {
        let interfaces = nodes.flatMap { node in node.interfaces.map { "\(node.name).\($0.name)" } }
        let tunnels = nodes.filter { $0.tunnel != nil }.map { "\($0.name).\(MemberTunnel.interface)" }
        let ports = elements.flatMap(\.ports)
        if let port = ports.first(where: { $0.description == value.text }) { return port }
        let names = interfaces + (allowsTunnels ? tunnels : []) + ports.map(\.description)
        if let text = value.text, names.contains(text) {
            let parts = text.split(separator: ".").map(String.init)
            return InterfaceReference(node: parts[0], interface: parts[1])
        }
        let node = value.text?.split(separator: ".").first.map { $0 + "." } ?? ""
        let near = names.filter { $0.hasPrefix(node) }
        reader.report(
            "'\(what)' is \(value.found), which is no interface", at: value.position,
            allowed: near.isEmpty ? names : near,
            suggestion: value.text.flatMap { Spelling.nearest(to: $0, among: names) })
        return nil
    }
}

import Configuration
public import Impairment
public import LabFile
import Measurement
import Wire

/// Reads `faults:`, and the faults of `failoverlab fail`.
///
///     late-fin:
///       on: lb.servers
///       direction: to-lb
///       match: tcp port 7000
///       class: fin
///       occurrence: first
///       do: { hold: { copy: on, until: { class: syn, same-flow: on } } }
struct FaultsReading {
    let reader: LabReader
    let nodes: [Node]
    let networks: [Network]
    /// nil where there are none to replace.
    let references: ReferenceTable?
    /// Of faults that name none.
    let seed: Int

    static let seeds = 0...Int(Int32.max)
    static let usualSeed = 1

    private(set) var elements: [CableElement] = []
    private(set) var filters: [CaptureFilterDefinition] = []
    /// Names of lab events that let frames go; known only when the scenario has been read.
    private(set) var awaited: [Located<String>] = []

    init(
        _ value: LabValue?, nodes: [Node], networks: [Network], traffic: [String], references: ReferenceTable?,
        elements: [CableElement] = [], seed: Int = FaultsReading.usualSeed, _ reader: LabReader
    ) {
        self.reader = reader
        self.nodes = nodes
        self.networks = networks
        self.references = references
        self.seed = seed
        self.elements = elements
        for entry in NodeDefinition.named(value, "the faults", reader) {
            guard NameRule.word.check(entry.key, "a fault", at: entry.keyPosition, reader) else { continue }
            // Events are called after nodes, traffic programs and faults alike.
            if nodes.contains(where: { $0.name == entry.key }) || traffic.contains(entry.key) {
                reader.report("'\(entry.key)' is the name of a fault and of something else", at: entry.keyPosition)
                continue
            }
            read(entry)
        }
        checkFlows()
    }

    /// Every rule and the element that it is on.
    var rules: [(element: String, rule: FaultRule)] {
        elements.flatMap { element in element.rules.map { (element.name, $0) } }
    }

    /// Reports events that nothing can bear.
    func checkEvents(_ events: EventNames) {
        for name in awaited { _ = events.check(name.value, at: name.position, reader) }
    }

    private mutating func read(_ entry: LabEntry) {
        guard let mapping = MappingReader(entry.value, "a fault", keys: FaultsReading.keys, reader),
            let on = mapping.required("on"),
            let interface = InterfaceReading(nodes: nodes, reader: reader).read(on, of: "on"),
            let index = element(on: interface)
        else { return }
        guard let action = mapping["do"] else {
            // An element alone, for faults of a person who watches.
            if let entries = mapping.value.entries, entries.count > 1 { _ = mapping.required("do") }
            return
        }
        let before = reader.reports
        var selection = FrameSelection()
        selection.direction = mapping["direction"].flatMap { direction($0, of: elements[index]) }
        selection.filter = filter(mapping)
        selection.segment = mapping.choice("class")
        selection.flowOf = mapping.text("flow-of")
        selection.occurrence = mapping["occurrence"].flatMap(occurrence) ?? .all
        selection.countsEachFlow = mapping.flag("each-flow") ?? false
        selection.times = mapping.integer("times", in: 1...1_000_000_000)
        let isArmed = mapping.flag("armed") ?? true
        let seed = mapping.integer("seed", in: Self.seeds) ?? self.seed
        let element = elements[index]
        var actions = FaultActionReading(reader: reader) { [self] in direction($0, of: element) }
        guard let action = actions.read(action), reader.reports == before else { return }
        awaited += actions.awaited
        var rule = FaultRule(
            name: entry.key, selection: selection, action: action, isArmed: isArmed, seed: UInt64(seed))
        if let value = actions.filter { rule.await(filter: resolved(value)) }
        // A name that is given again, by `failoverlab fail`, replaces the rule.
        elements[index].rules.removeAll { $0.name == entry.key }
        elements[index].rules.append(rule)
    }

    /// The element on an interface's cable, made where there is none yet.
    private mutating func element(on interface: InterfaceReference) -> Int? {
        guard
            let name = nodes.first(where: { $0.name == interface.node })?.interface(named: interface.interface)?
                .network,
            let network = networks.first(where: { $0.name == name })
        else { return nil }
        let other = network.attachments.first { $0.node != interface.node || $0.interface != interface.interface }
        if let found = elements.firstIndex(where: { $0.cable == interface }) { return found }
        if network.kind == .link, let found = elements.firstIndex(where: { $0.network == name }) { return found }
        let far = network.kind == .link ? other?.node ?? "far" : "switch"
        elements.append(
            CableElement(
                cable: interface, network: name,
                ends: far == interface.node ? InLineElementConfiguration.portNames : [interface.node, far], rules: []))
        return elements.count - 1
    }

    /// `from-lb`, `to-lb`
    private func direction(_ value: LabValue, of element: CableElement) -> CableDirection? {
        let words: [(String, CableDirection)] = [
            ("from-\(element.ends[0])", .fromNear), ("to-\(element.ends[0])", .fromFar),
            ("from-\(element.ends[1])", .fromFar), ("to-\(element.ends[1])", .fromNear),
        ]
        if let found = words.first(where: { $0.0 == value.text }) { return found.1 }
        reader.reportUnknown(
            value.text ?? "", "'direction' on the cable of \(element.name) is \(value.found)", at: value.position,
            allowed: words.map(\.0))
        return nil
    }

    private mutating func filter(_ mapping: MappingReader) -> String? {
        guard let value = mapping["match"], mapping.text("match") != nil else { return nil }
        return resolved(value)
    }

    private mutating func resolved(_ value: LabValue) -> String? {
        guard let text = value.text else { return nil }
        let resolved: String?
        if let references {
            resolved = references.resolve(filter: text, at: value.position, reader)
        } else {
            resolved = text
        }
        guard let resolved else { return nil }
        let filter = CaptureFilterDefinition(text: resolved, position: value.position)
        if !filters.contains(filter) { filters.append(filter) }
        return resolved
    }

    /// `first`, `all`, `{ nth: 3 }`, `{ every: 5 }`, `{ from: 2 }`
    private func occurrence(_ value: LabValue) -> Occurrence? {
        if value.text == "all" { return .all }
        if value.text == "first" { return .nth(1) }
        let forms = ["first", "all", "{ nth: 3 }", "{ every: 5 }", "{ from: 2 }"]
        guard let entry = value.entries?.first, value.entries?.count == 1 else {
            reader.reportUnknown(value.text ?? "", "'occurrence' is \(value.found)", at: value.position, allowed: forms)
            return nil
        }
        guard ["nth", "every", "from"].contains(entry.key) else {
            reader.reportUnknown(
                entry.key, "unknown key '\(LabValue.shortened(entry.key))' of 'occurrence'", at: entry.keyPosition,
                allowed: ["nth", "every", "from"])
            return nil
        }
        guard let number = reader.integer(entry.value, of: "'\(entry.key)' of 'occurrence'", in: 1...1_000_000_000)
        else {
            return nil
        }
        return entry.key == "nth" ? .nth(number) : entry.key == "every" ? .everyNth(number) : .from(number)
    }

    /// Faults of one cable alone can ask for each other's flows.
    private func checkFlows() {
        for element in elements {
            let names = element.rules.map(\.name)
            for rule in element.rules {
                guard let other = rule.selection.flowOf, !names.contains(other) || other == rule.name else { continue }
                reader.reportUnknown(
                    other, "'flow-of' of fault '\(rule.name)' is '\(LabValue.shortened(other))'", at: nil,
                    allowed: names.filter { $0 != rule.name })
            }
        }
    }
}

extension FaultRule {
    fileprivate mutating func await(filter: String?) {
        guard case .hold(var hold) = action else { return }
        hold.until.frame?.filter = filter
        action = .hold(hold)
    }
}

extension FaultRule {
    /// Reads a fault that is given while the lab is up: `drop: { on: lb.servers, class: fin, do: drop }`.
    /// - Returns: the rule and the element that it is for
    /// - Throws: what is wrong with the text, in the manner of lab files
    public static func parsing(_ text: String, of variant: Variant) throws(LabFileErrors) -> (
        element: String, rule: FaultRule
    ) {
        let document = try LabDocument(parsing: text, path: "fault")
        let reader = LabReader()
        let known = variant.elements.map { element in
            var bare = element
            bare.rules = []
            return bare
        }
        let reading = FaultsReading(
            document.root, nodes: variant.nodes, networks: variant.networks, traffic: variant.traffic.map(\.name),
            references: variant.references, elements: known, seed: variant.seed ?? FaultsReading.usualSeed, reader)
        if reading.elements.count > known.count, reader.errors.isEmpty {
            let name = reading.elements[known.count].name
            reader.report(
                "the cable of \(name) has no in-line element: the lab was built without", at: document.root.position,
                allowed: known.isEmpty
                    ? ["none of this lab; give it one by a fault in the lab file: { on: \(name) }"] : known.map(\.name))
        }
        guard reader.errors.isEmpty, let found = reading.rules.first else {
            if reader.errors.isEmpty { reader.report("there is no fault in it", at: document.root.position) }
            throw LabFileErrors(reader.errors, in: document.source)
        }
        return found
    }
}

/// In the order in which messages list them.
extension FaultsReading {
    static let keys = [
        "on", "direction", "match", "class", "flow-of", "occurrence", "each-flow", "times", "do", "armed", "seed",
    ]
}

import Expectation
import LabFile
import LabTime
import Measurement

/// Reads `expect:`.
struct ExpectationReading {
    let reader: LabReader
    let nodes: [Node]
    let elements: [CableElement]
    /// The lab's words for its traffic programs.
    let traffic: [String]
    let started: Set<String>
    let events: EventNames
    let references: ReferenceTable
    let capture: CaptureSelection

    private(set) var specifications: [ExpectationSpecification] = []
    private(set) var filters: [CaptureFilter] = []

    init(
        _ items: [LabValue], nodes: [Node], elements: [CableElement], traffic: [String], scenario: ScenarioReading,
        references: ReferenceTable, capture: CaptureSelection, _ reader: LabReader
    ) {
        self.reader = reader
        self.nodes = nodes
        self.elements = elements
        self.traffic = traffic
        self.references = references
        self.capture = capture
        started = scenario.started
        events = scenario.events
        for item in items { read(item) }
    }

    private mutating func read(_ item: LabValue) {
        let subjects = ["frames", "event", "counter"] + traffic
        guard let entries = item.entries else {
            reader.report("an expectation is \(item.found)", at: item.position, allowed: subjects)
            return
        }
        let found = entries.filter { subjects.contains($0.key) }
        guard let subject = found.first, found.count == 1 else {
            if found.count > 1 {
                reader.report(
                    "an expectation has one subject, not '\(found[0].key)' and '\(found[1].key)'; begin each with '-'",
                    at: found[1].keyPosition)
            } else {
                let first = entries.first { !LabKeys.expectation.contains($0.key) } ?? entries.first
                reader.reportUnknown(
                    first?.key ?? "",
                    "an expectation is about \(first.map { "'\(LabValue.shortened($0.key))'" } ?? "nothing")",
                    at: first?.keyPosition ?? item.position, allowed: subjects)
            }
            return
        }
        let siblings = subject.key == "frames" ? LabKeys.requirements : []
        guard let mapping = MappingReader(item, "an expectation", keys: [subject.key, "id"] + siblings, reader) else {
            return
        }
        let read: (subject: ExpectationSpecification.Subject, words: String)?
        switch subject.key {
        case "frames": read = frames(subject.value, mapping)
        case "event": read = event(subject.value)
        case "counter": read = counter(subject.value)
        default: read = traffic(subject)
        }
        let id = mapping.text("id")
        if let id, !NameRule.word.check(id, "an expectation", at: mapping["id"]?.position ?? item.position, reader) {
            return
        }
        guard let read else { return }
        specifications.append(
            ExpectationSpecification(id: unique(id, or: read.words, at: mapping["id"]?.position), subject: read.subject)
        )
    }

    /// Ids made from words are numbered where they repeat; the lab's own must not repeat.
    private func unique(_ id: String?, or words: String, at position: SourcePosition?) -> String {
        let taken = Set(specifications.map(\.id))
        if let id {
            if taken.contains(id) { reader.report("two expectations have the id '\(id)'", at: position) }
            return id
        }
        if !taken.contains(words) { return words }
        var number = 2
        while taken.contains("\(words)-\(number)") { number += 1 }
        return "\(words)-\(number)"
    }

    // MARK: Traffic

    private func traffic(_ entry: LabEntry) -> (ExpectationSpecification.Subject, String)? {
        let name = entry.key
        if !started.contains(name) {
            reader.report("traffic program '\(name)' is never started by the scenario", at: entry.keyPosition)
        }
        var expectation = TrafficExpectation(traffic: name)
        if let text = entry.value.text {
            let words = FlowOutcome.allCases.map(\.rawValue) + ["survives", "succeeds"]
            guard words.contains(text) else {
                reader.reportUnknown(
                    text, "the outcome of '\(name)' is \(entry.value.found)", at: entry.value.position, allowed: words)
                return nil
            }
            expectation.outcome = FlowOutcome(rawValue: text) ?? .survived
            return (.traffic(expectation), "\(name)-\(text)")
        }
        guard
            let mapping = MappingReader(
                entry.value, "an expectation of traffic", keys: LabKeys.trafficExpectation, reader)
        else { return nil }
        var words: [String] = []
        if mapping["outcome"] != nil {
            expectation.outcome = mapping.choice("outcome")
            words.append(expectation.outcome?.rawValue ?? "outcome")
        }
        for key in ["survives", "succeeds"] {
            guard let value = mapping.flag(key) else { continue }
            if mapping["outcome"] != nil || (key == "succeeds" && mapping["survives"] != nil) {
                reader.report(
                    "'\(key)' says the same as another key of this expectation; keep one", at: mapping.keyPosition(key))
            }
            if value { expectation.outcome = .survived } else { expectation.fails = true }
            words.append(value ? key : "fails")
        }
        let comparisons = ComparisonReading(reader: reader)
        expectation.longestGap = mapping["longest-gap"].flatMap { comparisons.duration($0, of: "'longest-gap'") }
        if let lost = mapping["lost"], lost.entries != nil {
            expectation.chanceOfLoss = chanceOfLoss(lost)
            guard expectation.chanceOfLoss != nil else { return nil }
        } else {
            expectation.lost = mapping["lost"].flatMap { comparisons.integer($0, of: "'lost'") }
        }
        expectation.duplicated = mapping["duplicated"].flatMap { comparisons.integer($0, of: "'duplicated'") }
        expectation.reordered = mapping["reordered"].flatMap { comparisons.integer($0, of: "'reordered'") }
        expectation.after = mapping["after"].flatMap(anchor)
        expectation.before = mapping["before"].flatMap(anchor)
        for key in ["longest-gap", "lost", "duplicated", "reordered"] where mapping[key] != nil { words.append(key) }
        if words.isEmpty {
            reader.report(
                "this expectation of '\(name)' expects nothing", at: entry.value.position,
                allowed: LabKeys.trafficExpectation)
            return nil
        }
        return (.traffic(expectation), ([name] + words).joined(separator: "-"))
    }

    /// `lost: { share: 50%, chance: 99.9% }`
    private func chanceOfLoss(_ value: LabValue) -> ChanceOfLoss? {
        guard let mapping = MappingReader(value, "'lost'", keys: LabKeys.chanceOfLoss, reader),
            let shareValue = mapping.required("share")
        else { return nil }
        func percent(_ value: LabValue, _ what: String) -> Double? {
            if let text = value.text, text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0, percent < 100 {
                return percent / 100
            }
            reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share between 0% and 100%, such as 50%"])
            return nil
        }
        guard let share = percent(shareValue, "'share' of 'lost'") else { return nil }
        guard let chance = mapping["chance"] else { return ChanceOfLoss(share: share, confidence: 0.9999) }
        return percent(chance, "'chance' of 'lost'").map { ChanceOfLoss(share: share, confidence: $0) }
    }

    // MARK: Counters

    private func counter(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of a counter", keys: LabKeys.counter, reader),
            let of = mapping.required("of"), mapping.required("name") != nil, let name = mapping.text("name"),
            let number = mapping.required("is"),
            let comparison = ComparisonReading(reader: reader).integer(number, of: "'is'")
        else { return nil }
        guard let node = of.text, nodes.contains(where: { $0.name == node }) else {
            reader.reportUnknown(of.text ?? "", "'of' is \(of.found), which is no node", at: of.position, allowed: nodes.map(\.name))
            return nil
        }
        for (key, text) in [("name", name), ("minus", mapping.text("minus") ?? "a.b")] where !text.contains(".") {
            reader.report(
                "'\(key)' is \(mapping[key]?.found ?? "nothing")", at: mapping.keyPosition(key),
                allowed: ["a counter of the kernel, such as TcpExt.IPReversePathFilter", "a counter of a box, such as drop.no-route"])
            return nil
        }
        let expectation = CounterExpectation(node: node, name: name, minus: mapping.text("minus"), value: comparison)
        let words = name.lowercased().split(separator: ".").joined(separator: "-")
        return (.counter(expectation), "\(node)-\(words)")
    }

    // MARK: Frames

    private mutating func frames(
        _ value: LabValue, _ item: MappingReader
    ) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of frames", keys: LabKeys.frames, reader) else {
            return nil
        }
        let on = mapping.required("on").flatMap { InterfaceReading(nodes: nodes, elements: elements, reader: reader).read($0, of: "on") }
        if let on, !capture.interfaces.contains(on) {
            reader.report(
                "\(on) is not captured in this lab", at: mapping.keyPosition("on"),
                allowed: capture.interfaces.map(\.description))
        }
        var match: String?
        if let value = mapping["match"], let text = mapping.text("match") {
            guard let resolved = references.resolve(filter: text, at: value.position, reader) else { return nil }
            match = resolved
            let filter = CaptureFilter(text: resolved, position: value.position)
            if !filters.contains(filter) { filters.append(filter) }
        }
        if let of = mapping["of"], !traffic.contains(of.text ?? "") {
            reader.reportUnknown(
                of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
        }
        let direction: FrameExpectation.Direction? = mapping.choice("direction")
        if let value = mapping["direction"], mapping["of"] == nil {
            reader.report("'direction' needs 'of': only a traffic program has clients and servers", at: value.position)
        }
        let within = mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400)))
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        let (after, before) = (mapping["after"].flatMap(anchor), mapping["before"].flatMap(anchor))
        guard let on, let (requirement, words) = requirement(item) else { return nil }
        let expectation = FrameExpectation(
            node: on.node, interface: on.interface, match: match, flowsOf: mapping.text("of"), direction: direction,
            after: after, before: before, within: within, requirement: requirement)
        return (.frames(expectation), "\(on.node)-\(on.interface)-\(words)")
    }

    private func requirement(_ item: MappingReader) -> (FrameExpectation.Requirement, String)? {
        // `none:` and `some:` alone say enough, so a key without a value counts here.
        let given = LabKeys.requirements.filter { item.value[$0] != nil }
        guard let key = given.first, given.count == 1, let value = item.value[key] else {
            reader.report(
                given.isEmpty
                    ? "an expectation of frames needs a requirement beside 'frames'"
                    : "an expectation of frames has one requirement, not '\(given[0])' and '\(given[1])'",
                at: given.count > 1 ? item.keyPosition(given[1]) : item.position, allowed: LabKeys.requirements)
            return nil
        }
        let checks = CheckReading(reader: reader, references: references)
        switch key {
        case "every", "first":
            let fields = checks.read(value, of: key)
            if value.entries?.isEmpty == true {
                reader.report("'\(key)' needs at least one field to check", at: value.position)
            }
            return (key == "every" ? .every(fields) : .first(fields), checks.words(key, value))
        case "some", "none":
            let fields = value.isNull || value.text == "true" ? [] : checks.read(value, of: key)
            return (key == "some" ? .some(fields) : .none(fields), checks.words(key, value))
        case "count":
            let comparisons = ComparisonReading(reader: reader)
            guard let entries = value.entries else {
                return comparisons.integer(value, of: "'count'").map { (.count($0, []), "count") }
            }
            guard let number = entries.first(where: { $0.key == "is" })?.value else {
                reader.report("'count' needs the key 'is', such as is: \"> 3\"", at: value.position)
                return nil
            }
            let fields = checks.read(value.setting("is", to: nil), of: key)
            return comparisons.integer(number, of: "'count'").map { (.count($0, fields), checks.words(key, value)) }
        default:
            guard let steps = value.elements, !steps.isEmpty else {
                reader.report(
                    "'sequence' is \(value.found)", at: value.position, allowed: ["a list of mappings of fields"])
                return nil
            }
            return (.sequence(steps.map { checks.read($0, of: "a step of 'sequence'") }), key)
        }
    }

    // MARK: Events

    private func event(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        let atLeastOnce = Comparison(.greaterOrEqual, 1)
        if let text = value.text {
            guard events.check(text, at: value.position, reader) else { return nil }
            return (.event(EventExpectation(event: text, count: atLeastOnce)), eventWords(text))
        }
        guard let mapping = MappingReader(value, "an expectation of an event", keys: LabKeys.event, reader),
            let nameValue = mapping.required("name"), let name = mapping.text("name"),
            events.check(name, at: nameValue.position, reader)
        else { return nil }
        let count = mapping["count"].flatMap { ComparisonReading(reader: reader).integer($0, of: "'count'") }
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        return (
            .event(
                EventExpectation(
                    event: name, count: count ?? atLeastOnce, after: mapping["after"].flatMap(anchor),
                    within: mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400))))),
            eventWords(name)
        )
    }

    private func eventWords(_ name: String) -> String { name.split(separator: ".").joined(separator: "-") }

    /// `failover`, `fw-b.active + 200ms`, `failover - 10ms`
    private func anchor(_ value: LabValue) -> Anchor? {
        guard let text = value.text else {
            reader.report(
                "a point in time is \(value.found)", at: value.position,
                allowed: ["an event, such as failover or fw-b.active + 200ms"])
            return nil
        }
        let words = text.split(separator: " ").map(String.init)
        guard let name = words.first, events.check(name, at: value.position, reader) else { return nil }
        if words.count == 1 { return Anchor(event: name) }
        guard words.count == 3, words[1] == "+" || words[1] == "-", let offset = DurationText.parse(words[2]) else {
            reader.report(
                "a point in time is \(value.found)", at: value.position,
                allowed: ["event", "event + time", "event - time, such as fw-b.active + 200ms"])
            return nil
        }
        return Anchor(event: name, offset: words[1] == "+" ? offset : .zero - offset)
    }
}

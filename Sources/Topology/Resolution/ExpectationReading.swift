import Appliances
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
    /// The programs that could be read.
    let programs: [TrafficProgram]
    let started: Set<String>
    let events: EventNames
    let references: ReferenceTable
    let capture: CaptureSelection

    private(set) var specifications: [ExpectationSpecification] = []
    private(set) var filters: [CaptureFilter] = []

    init(
        _ items: [LabValue], nodes: [Node], elements: [CableElement], traffic: [String],
        programs: [TrafficProgram], scenario: ScenarioReading, references: ReferenceTable, capture: CaptureSelection,
        _ reader: LabReader
    ) {
        self.reader = reader
        self.nodes = nodes
        self.elements = elements
        self.traffic = traffic
        self.programs = programs
        self.references = references
        self.capture = capture
        started = scenario.started
        events = scenario.events
        for item in items { read(item) }
    }

    private mutating func read(_ item: LabValue) {
        let subjects = ["frames", "event", "log", "counter", "moved", "carried-over"] + traffic
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
        let siblings =
            subject.key == "frames" ? LabKeys.requirements : subject.key == "log" ? LabKeys.logRequirements : []
        guard let mapping = MappingReader(item, "an expectation", keys: [subject.key, "id"] + siblings, reader) else {
            return
        }
        let read: (subject: ExpectationSpecification.Subject, words: String)?
        switch subject.key {
        case "frames": read = frames(subject.value, mapping)
        case "event": read = event(subject.value)
        case "counter": read = counter(subject.value)
        case "log": read = log(subject.value, mapping)
        case "moved": read = moved(subject.value)
        case "carried-over": read = carriedOver(subject.value)
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
        expectation.statuses = mapping["statuses"].map { statuses($0, of: name) } ?? []
        expectation.after = mapping["after"].flatMap(anchor)
        expectation.before = mapping["before"].flatMap(anchor)
        for key in ["after", "before"] where mapping[key] != nil {
            guard programs.contains(where: { $0.name == name && $0.kind == .udpCrowd }) else { continue }
            reader.report(
                "'\(key)' selects flows by their starts, and those of a crowd are not listed",
                at: mapping.keyPosition(key))
        }
        for key in ["longest-gap", "lost", "duplicated", "reordered", "statuses"] where mapping[key] != nil {
            words.append(key)
        }
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
            if let text = value.text, text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0,
                percent < 100
            {
                return percent / 100
            }
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: ["a share between 0% and 100%, such as 50%"])
            return nil
        }
        guard let share = percent(shareValue, "'share' of 'lost'") else { return nil }
        guard let chance = mapping["chance"] else { return ChanceOfLoss(share: share, confidence: 0.9999) }
        return percent(chance, "'chance' of 'lost'").map { ChanceOfLoss(share: share, confidence: $0) }
    }

    // MARK: Counters

    private func counter(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        CounterReading(reader: reader, nodes: nodes).read(value, "an expectation of a counter").map {
            let words = $0.name.lowercased().split(separator: ".").joined(separator: "-")
            return (.counter($0), "\($0.node)-\(words)")
        }
    }

    /// `{ 200: "> 1000", 502: "< 1%", none: 0, other: 0 }`
    private func statuses(_ value: LabValue, of name: String) -> [StatusExpectation] {
        if programs.contains(where: { $0.name == name && $0.kind != .httpRequest }) {
            reader.report("'\(name)' is no http-request, so its answers have no status", at: value.position)
        }
        let words = ["a status from 100 to 599", "none", "other"]
        guard let entries = value.entries, !entries.isEmpty else {
            reader.report(
                "'statuses' " + (value.entries == nil ? "is \(value.found)" : "names no status"), at: value.position,
                allowed: ["a mapping of " + words.joined(separator: ", ")])
            return []
        }
        return entries.compactMap { entry in
            let answer: StatusExpectation.Answer
            switch (entry.key, Int(entry.key)) {
            case ("none", _): answer = .none
            case ("other", _): answer = .other
            case (_, let status?) where (100...599).contains(status): answer = .status(status)
            default:
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no status", at: entry.keyPosition, allowed: words,
                    suggestion: Spelling.nearest(to: entry.key, among: ["none", "other"]))
                return nil
            }
            return ComparisonReading(reader: reader).amount(entry.value, of: "'\(entry.key)' of 'statuses'")
                .map { StatusExpectation(answer, $0) }
        }
    }

    // MARK: Frames

    private mutating func frames(
        _ value: LabValue, _ item: MappingReader
    ) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of frames", keys: LabKeys.frames, reader) else {
            return nil
        }
        let on = mapping.required("on").flatMap {
            InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader).read($0, of: "on")
        }
        if let on, !capture.interfaces.contains(on) {
            reader.report(
                "\(on) is not captured in this lab", at: mapping.keyPosition("on"),
                allowed: capture.interfaces.map(\.description))
        }
        guard let match = filter(mapping) else { return nil }
        if let of = mapping["of"] {
            if !traffic.contains(of.text ?? "") {
                reader.reportUnknown(
                    of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
            }
            checkIsNoCrowd(of)
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

    /// The flows of a crowd are not listed one by one, so nothing says which frames are theirs.
    private func checkIsNoCrowd(_ of: LabValue) {
        guard programs.contains(where: { $0.name == of.text && $0.kind == .udpCrowd }) else { return }
        reader.report(
            "'\(of.text ?? "")' is a crowd, whose frames 'of' does not tell; use 'match'", at: of.position,
            allowed: programs.filter { $0.kind != .udpCrowd }.map(\.name))
    }

    /// The one requirement that stands beside the subject. `none:` and `some:` alone say enough, so a key without a
    /// value counts here.
    private func onlyRequirement(
        _ item: MappingReader, of subject: String, among keys: [String]
    ) -> (key: String, value: LabValue)? {
        let given = keys.filter { item.value[$0] != nil }
        guard let key = given.first, given.count == 1, let value = item.value[key] else {
            reader.report(
                given.isEmpty
                    ? "an expectation of \(subject) needs a requirement beside '\(subject)'"
                    : "an expectation of \(subject) has one requirement, not '\(given[0])' and '\(given[1])'",
                at: given.count > 1 ? item.keyPosition(given[1]) : item.position, allowed: keys)
            return nil
        }
        return (key, value)
    }

    private func requirement(_ item: MappingReader) -> (FrameExpectation.Requirement, String)? {
        guard let (key, value) = onlyRequirement(item, of: "frames", among: LabKeys.requirements) else { return nil }
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

    // MARK: Moves

    /// `moved: { of: app, on: lb.servers, by: eth.dst, at: lb.member-down, ideal: 33% }`
    private mutating func moved(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of moved flows", keys: LabKeys.moved, reader) else {
            return nil
        }
        let interfaces = InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader)
        let on = mapping.required("on").flatMap { interfaces.read($0, of: "on") }
        let at = mapping.required("at").flatMap(anchor)
        let ideal = mapping.required("ideal").flatMap { percent($0, of: "'ideal'") }
        let tolerance = mapping["tolerance"].map { percent($0, of: "'tolerance'") } ?? 10
        guard let of = mapping.required("of"), let by = mapping.required("by"), let on, let at, let ideal, let tolerance
        else { return nil }
        guard let program = of.text, traffic.contains(program) else {
            reader.reportUnknown(
                of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
            return nil
        }
        checkIsNoCrowd(of)
        guard let field = by.text, FrameField(field) != nil else {
            reader.reportUnknown(
                by.text ?? "", "'by' is \(by.found), which is no field of a frame", at: by.position,
                allowed: FrameField.allNames.filter { !$0.hasPrefix("inner.") })
            return nil
        }
        func end(_ key: String) -> String? {
            guard let value = mapping[key], let text = mapping.text(key),
                let resolved = references.resolve(text, at: value.position, reader)
            else { return nil }
            if let problem = FieldCheck(field: field, condition: .equals(resolved)).problem {
                reader.report(problem, at: value.position)
            }
            return resolved
        }
        guard let match = filter(mapping) else { return nil }
        let expectation = MoveExpectation(
            node: on.node, interface: on.interface, match: match, flowsOf: program, field: field, moment: at,
            from: end("from"), to: end("to"), ideal: ideal, tolerance: tolerance)
        return (.moved(expectation), "\(program)-moved-\(at.event.split(separator: ".").joined(separator: "-"))")
    }

    /// What `match` selects, with its references resolved: `.some(nil)` without one, nil after a mistake was told.
    private mutating func filter(_ mapping: MappingReader) -> String?? {
        guard let value = mapping["match"], let text = mapping.text("match") else { return .some(nil) }
        guard let resolved = references.resolve(filter: text, at: value.position, reader) else { return nil }
        let filter = CaptureFilter(text: resolved, position: value.position)
        if !filters.contains(filter) { filters.append(filter) }
        return resolved
    }

    // MARK: What is carried over

    /// `carried-over: { by: [ip.src, udp.srcport], first: { on: fw-a.wan, before: failover }, then: { on: fw-b.wan } }`
    private mutating func carriedOver(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        guard
            let mapping = MappingReader(
                value, "an expectation of what is carried over", keys: LabKeys.carriedOver, reader)
        else { return nil }
        let fields = (mapping["by"].map { reader.list($0) } ?? []).compactMap { by -> String? in
            if let field = by.text, FrameField(field) != nil { return field }
            reader.reportUnknown(
                by.text ?? "", "'by' is \(by.found), which is no field of a frame", at: by.position,
                allowed: FrameField.allNames)
            return nil
        }
        let comparisons = ComparisonReading(reader: reader)
        let count = mapping["count"].flatMap { comparisons.integer($0, of: "'count'") }
        let missing = mapping["missing"].flatMap { comparisons.integer($0, of: "'missing'") } ?? Comparison(.equal, 0)
        let (firstValue, thenValue) = (mapping.required("first"), mapping.required("then"))
        guard let match = filter(mapping), let firstValue, let thenValue,
            let first = place(firstValue, "first", match), let then = place(thenValue, "then", match)
        else { return nil }
        let expectation = CarryExpectation(fields: fields, first: first, then: then, count: count, missing: missing)
        return (.carriedOver(expectation), "\(first.node)-\(first.interface)-carried-over")
    }

    private mutating func place(_ value: LabValue, _ key: String, _ match: String?) -> CarryExpectation.Place? {
        guard let mapping = MappingReader(value, "'\(key)'", keys: LabKeys.place, reader) else { return nil }
        let interfaces = InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader)
        let on = mapping.required("on").flatMap { interfaces.read($0, of: "on") }
        if let on, !capture.interfaces.contains(on) {
            reader.report(
                "\(on) is not captured in this lab", at: mapping.keyPosition("on"),
                allowed: capture.interfaces.map(\.description))
        }
        guard let own = filter(mapping), let on else { return nil }
        return CarryExpectation.Place(
            node: on.node, interface: on.interface, match: own ?? match, after: mapping["after"].flatMap(anchor),
            before: mapping["before"].flatMap(anchor))
    }

    /// `33.3%`
    private func percent(_ value: LabValue, of what: String) -> Double? {
        guard let text = value.text, text.hasSuffix("%"), let number = Double(text.dropLast()),
            (0...100).contains(number)
        else {
            reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share, such as 33.3%"])
            return nil
        }
        return number
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
        let with = RecordCheckReading(
            reader: reader, references: references, events: events, what: "a detail of \(name)",
            fields: events.details(of: name))
        return (
            .event(
                EventExpectation(
                    event: name, with: mapping["with"].map { with.read($0, of: "with") } ?? [],
                    count: count ?? atLeastOnce, after: mapping["after"].flatMap(anchor),
                    before: mapping["before"].flatMap(anchor),
                    within: mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400))))),
            eventWords(name)
        )
    }

    // MARK: Logs

    private func log(
        _ value: LabValue, _ item: MappingReader
    ) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of a log", keys: LabKeys.log, reader),
            let on = mapping.required("on")
        else { return nil }
        let owners = nodes.filter(\.logsRequests).map(\.name)
        guard let node = on.text, owners.contains(node) else {
            reader.reportUnknown(
                on.text ?? "",
                "\(on.found) has no access log: only load balancers with a service of the profile http do",
                at: on.position, allowed: owners)
            return nil
        }
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        let checks = RecordCheckReading(
            reader: reader, references: references, events: events, what: "a field of the access log",
            fields: AccessLogField.allCases.map(\.rawValue))
        guard let (requirement, words) = logRequirement(item, checks) else { return nil }
        let expectation = LogExpectation(
            node: node, selection: mapping["where"].map { checks.read($0, of: "where") } ?? [],
            after: mapping["after"].flatMap(anchor), before: mapping["before"].flatMap(anchor),
            within: mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400))), requirement: requirement)
        return (.log(expectation), "\(node)-log-\(words)")
    }

    private func logRequirement(
        _ item: MappingReader, _ checks: RecordCheckReading
    ) -> (LogExpectation.Requirement, String)? {
        guard let (key, value) = onlyRequirement(item, of: "log", among: LabKeys.logRequirements) else { return nil }
        let words = ([key] + (value.entries ?? []).map(\.key).filter { $0 != "is" }.prefix(2)).joined(separator: "-")
        switch key {
        case "every", "first":
            let fields = checks.read(value, of: key)
            if value.entries?.isEmpty == true {
                reader.report("'\(key)' needs at least one field to check", at: value.position)
            }
            return (key == "every" ? .every(fields) : .first(fields), words)
        case "some", "none":
            let fields = value.isNull || value.text == "true" ? [] : checks.read(value, of: key)
            return (key == "some" ? .some(fields) : .none(fields), words)
        default:
            let comparisons = ComparisonReading(reader: reader)
            guard value.entries != nil else {
                return comparisons.integer(value, of: "'count'").map { (.count($0, []), words) }
            }
            guard let number = value["is"] else {
                reader.report("'count' needs the key 'is', such as is: \"> 3\"", at: value.position)
                return nil
            }
            let fields = checks.read(value.setting("is", to: nil), of: key)
            return comparisons.integer(number, of: "'count'").map { (.count($0, fields), words) }
        }
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

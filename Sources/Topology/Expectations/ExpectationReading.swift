import Configuration
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
    private var ids: Set<String> = []
    /// By words: the last number that an id was made of.
    private var numbers: [String: Int] = [:]
    private(set) var filters: [CaptureFilterDefinition] = []
    /// Where the expectations begin, when a lab in which nothing happens would bear out every one of them.
    private(set) var absenceAlone: SourcePosition?

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
        if let first = items.first, specifications.allSatisfy(\.subject.isBorneOutByAbsence) {
            absenceAlone = first.position
        }
    }

    private mutating func read(_ item: LabValue) {
        let subjects = ExpectationForms.words + traffic
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
                let first = entries.first { !ExpectationForms.keys.contains($0.key) } ?? entries.first
                reader.reportUnknown(
                    first?.key ?? "",
                    "an expectation is about \(first.map { "'\(LabValue.shortened($0.key))'" } ?? "nothing")",
                    at: first?.keyPosition ?? item.position, allowed: subjects)
            }
            return
        }
        let form = ExpectationForms.form(of: subject.key)
        let keys = [subject.key, "id"] + form.requirements
        guard let mapping = MappingReader(item, "an expectation", keys: keys, reader) else { return }
        let read = form.read(&self, subject, mapping)
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
    /// - Complexity: O(1) on average
    private mutating func unique(_ id: String?, or words: String, at position: SourcePosition?) -> String {
        if let id {
            if !ids.insert(id).inserted { reader.report("two expectations have the id '\(id)'", at: position) }
            return id
        }
        var (unique, number) = (words, numbers[words] ?? 1)
        while !ids.insert(unique).inserted {
            number += 1
            unique = "\(words)-\(number)"
        }
        numbers[words] = number
        return unique
    }

    /// The flows of a crowd are not listed one by one, so nothing says which frames are theirs.
    func checkIsNoCrowd(_ of: LabValue) {
        guard programs.contains(where: { $0.name == of.text && $0.kind.type.sumsFlows }) else { return }
        reader.report(
            "'\(of.text ?? "")' is a crowd, whose frames 'of' does not tell; use 'match'", at: of.position,
            allowed: programs.filter { !$0.kind.type.sumsFlows }.map(\.name))
    }

    /// The one requirement that stands beside the subject. `none:` and `some:` alone say enough, so a key without a
    /// value counts here.
    func onlyRequirement(
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

    /// What `match` selects, with its references resolved: `.some(nil)` without one, nil after a mistake was told.
    mutating func filter(_ mapping: MappingReader) -> String?? {
        guard let value = mapping["match"], let text = mapping.text("match") else { return .some(nil) }
        guard let resolved = references.resolve(filter: text, at: value.position, reader) else { return nil }
        let filter = CaptureFilterDefinition(text: resolved, position: value.position)
        if !filters.contains(filter) { filters.append(filter) }
        return resolved
    }

    /// `failover`, `fw-b.active + 200ms`, `failover - 10ms`
    func anchor(_ value: LabValue) -> Anchor? {
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

import Expectation
import LabFile

/// Reads checks of events' details and of log lines:
/// `{ status: 502, snatPort: { of: late-fin.held, detail: destination-port }, totalTime: "> 1.4", reason: { not: x } }`.
struct RecordCheckReading {
    let reader: LabReader
    let references: ReferenceTable
    let events: EventNames
    /// What messages call them: `a detail of gw.state-refused`.
    let what: String
    /// nil where nothing says which there are.
    let fields: [String]?

    func read(_ value: LabValue, of key: String) -> [RecordCheck] {
        guard let entries = value.entries else {
            reader.report("'\(key)' is \(value.found)", at: value.position, allowed: ["a mapping of fields"])
            return []
        }
        return entries.compactMap(check)
    }

    private func check(_ entry: LabEntry) -> RecordCheck? {
        if let fields, !fields.contains(entry.key) {
            reader.reportUnknown(
                entry.key, "'\(LabValue.shortened(entry.key))' is not \(what)", at: entry.keyPosition, allowed: fields)
            return nil
        }
        return condition(entry).map { RecordCheck(field: entry.key, condition: $0) }
    }

    private func condition(_ entry: LabEntry) -> RecordCheck.Condition? {
        if let elements = entry.value.elements {
            let values = elements.compactMap { text($0, of: entry.key) }
            return values.count == elements.count && !values.isEmpty ? .isOneOf(values) : nil
        }
        if entry.value.entries != nil {
            guard
                let mapping = MappingReader(
                    entry.value, "the check of '\(entry.key)'", keys: ["not", "of", "detail"], reader)
            else { return nil }
            return mapping["not"] == nil ? reference(mapping) : negation(mapping, of: entry.key)
        }
        if let text = entry.value.text, let first = text.first, "<>=".contains(first) {
            return ComparisonReading(reader: reader).number(entry.value, of: "'\(entry.key)'").map { .compares($0) }
        }
        return text(entry.value, of: entry.key).map { .isOneOf([$0]) }
    }

    private func negation(_ mapping: MappingReader, of key: String) -> RecordCheck.Condition? {
        for other in ["of", "detail"] where mapping[other] != nil {
            reader.report("'not' and '\(other)' do not go together", at: mapping.keyPosition(other))
        }
        let elements = mapping["not"].map(reader.list) ?? []
        let values = elements.compactMap { text($0, of: key) }
        return values.count == elements.count && !values.isEmpty ? .isNoneOf(values) : nil
    }

    /// `{ of: late-fin.held, detail: destination-port }`
    private func reference(_ mapping: MappingReader) -> RecordCheck.Condition? {
        guard let of = mapping.required("of"), let detail = mapping.required("detail"), let event = mapping.text("of"),
            events.check(event, at: of.position, reader), let name = mapping.text("detail")
        else { return nil }
        if let known = events.details(of: event), !known.contains(name) {
            reader.reportUnknown(
                name, "'\(LabValue.shortened(name))' is no detail of \(event)", at: detail.position, allowed: known)
            return nil
        }
        return .isThatOf(event: event, detail: name)
    }

    private func text(_ value: LabValue, of field: String) -> String? {
        reader.text(value, of: "the value of '\(field)'").flatMap { references.resolve($0, at: value.position, reader) }
    }
}

import Expectation
import LabFile

/// Reads checks of fields: `{ eth.dst: fw-a.inside.mac, tcp.len: "> 0", ip.src: { not: [10.0.0.1, 10.0.0.2] } }`.
struct CheckReading {
    let reader: LabReader
    let references: ReferenceTable

    func read(_ value: LabValue, of key: String) -> [FieldCheck] {
        guard let entries = value.entries else {
            reader.report(
                "'\(key)' is \(value.found)", at: value.position,
                allowed: ["a mapping of fields, such as { eth.dst: fw-a.inside.mac }"])
            return []
        }
        return entries.flatMap(checks)
    }

    /// Words for an id: `every-eth-dst`.
    func words(_ key: String, _ value: LabValue) -> String {
        let fields = (value.entries ?? []).map(\.key).filter { $0 != "is" }.prefix(2)
        return ([key] + fields.map { $0.split(separator: ".").joined(separator: "-") }).joined(separator: "-")
    }

    private func checks(_ entry: LabEntry) -> [FieldCheck] {
        guard FrameField.allNames.contains(entry.key) else {
            // What `inner.` reaches repeats the fields before it.
            let own = FrameField.allNames.filter { !$0.hasPrefix("inner.") }
            reader.report(
                "unknown field '\(LabValue.shortened(entry.key))' of a frame", at: entry.keyPosition,
                allowed: own + ["inner. before a field of IP and above"],
                suggestion: Spelling.nearest(to: entry.key, among: FrameField.allNames))
            return []
        }
        let conditions: [(FieldCheck.Condition, SourcePosition)]
        if entry.value.entries != nil {
            guard let mapping = MappingReader(entry.value, "the check of '\(entry.key)'", keys: ["not"], reader),
                let value = mapping.required("not")
            else { return [] }
            conditions = reader.list(value).compactMap { element in
                text(element, of: entry.key).map { (.isNot($0), element.position) }
            }
        } else if let elements = entry.value.elements {
            let texts = elements.compactMap { text($0, of: entry.key) }
            guard texts.count == elements.count else { return [] }
            conditions = [(.isOneOf(texts), entry.value.position)]
        } else {
            conditions = condition(entry).map { [$0] } ?? []
        }
        return conditions.compactMap { condition, position in
            let check = FieldCheck(field: entry.key, condition: condition)
            guard let problem = check.problem else { return check }
            let names = references.values.map(\.reference)
            reader.report(
                problem, at: position,
                suggestion: entry.value.text.flatMap { Spelling.nearest(to: $0, among: names) })
            return nil
        }
    }

    private func condition(_ entry: LabEntry) -> (FieldCheck.Condition, SourcePosition)? {
        guard let text = entry.value.text, let first = text.first, "<>=".contains(first) else {
            return text(entry.value, of: entry.key).map { (.equals($0), entry.value.position) }
        }
        return ComparisonReading(reader: reader).integer(entry.value, of: "'\(entry.key)'")
            .map { (.compares($0), entry.value.position) }
    }

    private func text(_ value: LabValue, of field: String) -> String? {
        reader.text(value, of: "the value of '\(field)'").flatMap { references.resolve($0, at: value.position, reader) }
    }
}

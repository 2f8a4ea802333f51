import Impairment
import LabFile

/// Reads the `do:` of a fault.
struct FaultActionReading {
    let reader: LabReader
    let direction: (LabValue) -> CableDirection?
    /// Events that let frames go.
    var awaited: [Located<String>] = []
    /// The filter of `until`, its references not yet replaced.
    var filter: LabValue?

    static let times: ClosedRange<Duration> = .zero...(.seconds(3600))

    init(reader: LabReader, direction: @escaping (LabValue) -> CableDirection?) {
        self.reader = reader
        self.direction = direction
    }

    /// `drop`, `{ delay: 50ms }`
    mutating func read(_ value: LabValue) -> FaultAction? {
        let words = FaultActionForms.words
        func form(_ word: String?) -> FaultActionForm? { FaultActionForms.table.first { $0.word == word } }
        if let form = form(value.text), form.isBare { return form.read(&self, nil) }
        guard let entry = value.entries?.first, value.entries?.count == 1 else {
            let needs = form(value.text) != nil
            reader.reportUnknown(
                value.text ?? "",
                needs ? "'\(value.text ?? "")' needs more, as in { delay: 50ms }" : "'do' is \(value.found)",
                at: value.position, allowed: words)
            return nil
        }
        guard let form = form(entry.key) else {
            reader.reportUnknown(
                entry.key, "unknown fault '\(LabValue.shortened(entry.key))'", at: entry.keyPosition,
                allowed: words)
            return nil
        }
        return form.read(&self, entry.value.isNull && form.isBare ? nil : entry.value)
    }

    func share(_ value: LabValue, of what: String) -> Double? {
        if let text = value.text, text.hasSuffix("%"), let percent = decimal(String(text.dropLast())), percent <= 100 {
            return percent / 100
        }
        reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share from 0% to 100%"])
        return nil
    }

    func number(_ value: LabValue, of what: String, in range: ClosedRange<Double>) -> Double? {
        if let number = value.text.flatMap(decimal), range.contains(number) { return number }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a number from \(range.lowerBound) to \(range.upperBound)"])
        return nil
    }

    /// Digits and a point; `Double` alone would take `nan`, `1e9` and hexadecimal.
    func decimal(_ text: String) -> Double? {
        text.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") } && text.count < 16 ? Double(text) : nil
    }
}

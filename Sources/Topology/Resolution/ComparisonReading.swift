import Expectation
import LabFile

/// Reads `"< 1s"`, `">= 3"`, `0`.
struct ComparisonReading {
    let reader: LabReader

    func integer(_ value: LabValue, of what: String) -> Comparison<Int>? {
        if let comparison = read(value, { Int($0) }) { return comparison }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a whole number, or a comparison such as \"> 3\" or \"<= 10\""])
        return nil
    }

    func duration(_ value: LabValue, of what: String) -> Comparison<Duration>? {
        if let comparison = read(value, DurationText.parse) { return comparison }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a comparison with a time and its unit, such as \"< 1s\""])
        return nil
    }

    private func read<T>(_ value: LabValue, _ parse: (String) -> T?) -> Comparison<T>? {
        guard let text = value.text else { return nil }
        let sign = text.prefix { "<>=".contains($0) }
        guard let relation = sign.isEmpty ? .equal : Comparison<T>.Relation(rawValue: sign == "==" ? "=" : String(sign))
        else { return nil }
        let rest = text.dropFirst(sign.count).drop { $0 == " " }
        return parse(String(rest)).map { Comparison(relation, $0) }
    }
}

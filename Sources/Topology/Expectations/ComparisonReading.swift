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

    /// Also with decimals.
    func number(_ value: LabValue, of what: String) -> Comparison<Double>? {
        if let comparison = read(value, Self.decimal) { return comparison }
        reader.report(
            "\(what) is \(value.found)", at: value.position, allowed: ["a number, or a comparison such as \"> 1.4\""])
        return nil
    }

    /// `3`, `"> 3"`: a count; `"< 1%"`: a share.
    func amount(_ value: LabValue, of what: String) -> StatusExpectation.Amount? {
        if let count = read(value, { Int($0) }) { return .count(count) }
        if let share = read(value, { $0.hasSuffix("%") ? Self.decimal(String($0.dropLast())) : nil }),
            share.value <= 100
        {
            return .share(share)
        }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a whole number, a share, or a comparison with one, such as \"> 3\" or \"< 1%\""])
        return nil
    }

    /// Digits, a point and a sign; `Double` alone would take `nan`, `1e9` and hexadecimal.
    private static func decimal(_ text: String) -> Double? {
        let text = text.filter { $0 != " " }
        return text.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") } && text.count < 16
            ? Double(text) : nil
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

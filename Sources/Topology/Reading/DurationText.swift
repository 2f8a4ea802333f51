import LabTime

/// Times as a lab writes them: `500us`, `10ms`, `1.5s`, `2m`.
enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]

    /// nil without a unit, with a sign, or beyond a hundred days.
    static func parse(_ text: String) -> Duration? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let scale = units.first(where: { $0.name == unit })?.nanoseconds, number.count <= 18 else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
        let (total, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow, total <= 100 * 86_400 * 1_000_000_000 else { return nil }
        guard parts.count == 2 else { return .nanoseconds(total) }
        // Digit by digit, so that 0.1ms is exactly 100us.
        var fraction: Int64 = 0
        var place = scale
        guard !parts[1].isEmpty else { return nil }
        for digit in parts[1] {
            place /= 10
            fraction += place * Int64(digit.wholeNumberValue ?? 0)
        }
        return .nanoseconds(total + fraction)
    }

    /// In the largest unit in which it is a whole number.
    static func text(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        if nanoseconds == 0 { return "0s" }
        let unit = units.last { nanoseconds % $0.nanoseconds == 0 && $0.name != "h" } ?? units[0]
        return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    }
}

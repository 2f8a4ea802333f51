import LabTime

/// A point of time as an offset from a named event.
public struct Moment: Hashable, Sendable, Codable {
    public var event: String
    /// Negative before the event.
    public var offset: Duration

    public init(event: String, offset: Duration) {
        self.event = event
        self.offset = offset
    }
}

extension Moment: CustomStringConvertible {
    /// `+0.734 s after failover`, `0.120 s before failover`
    public var description: String {
        offset < .zero ? "\(offset.inSeconds.dropFirst()) before \(event)" : "+\(offset.inSeconds) after \(event)"
    }
}

extension Duration {
    /// Seconds with three decimals: `0.734 s`.
    package var inSeconds: String {
        let (sign, microseconds) = (nanoseconds < 0 ? "-" : "", nanoseconds.magnitude / 1000)
        let milliseconds = (microseconds + 500) / 1000
        return "\(sign)\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst()) s"
    }

    /// In the unit that a person would choose, with at most three significant decimals: `2 s`, `52.1 ms`, `80 µs`.
    package var forPeople: String {
        let sign = nanoseconds < 0 ? "-" : ""
        let value = nanoseconds.magnitude
        let (unit, name): (UInt64, String) =
            switch value {
            case 1_000_000_000...: (1_000_000_000, "s")
            case 1_000_000...: (1_000_000, "ms")
            case 1000...: (1000, "µs")
            default: (1, "ns")
            }
        // Rounded to a thousandth of the unit, trailing zeros dropped.
        let thousandths = unit == 1 ? value * 1000 : (value + unit / 2000) / (unit / 1000)
        var decimals = String(String(1000 + thousandths % 1000).dropFirst())
        while decimals.last == "0" { decimals.removeLast() }
        return "\(sign)\(thousandths / 1000)\(decimals.isEmpty ? "" : ".\(decimals)") \(name)"
    }
}

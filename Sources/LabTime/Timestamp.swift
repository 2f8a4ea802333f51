/// A point on the wall clock, in nanoseconds since 1970-01-01 00:00:00 UTC.
///
/// Captures, node events and traffic results all carry it: the kernel stamps frames with `CLOCK_REALTIME`, and every
/// namespace of a lab shares that one clock.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func - (a: Timestamp, b: Timestamp) -> Duration {
        .nanoseconds(a.nanoseconds &- b.nanoseconds)
    }
    @inlinable public static func + (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    @inlinable public static func - (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC with nine fractional digits, as in `2026-11-21T08:30:00.123456789Z`.
    public var description: String {
        let (second, nano) = nanoseconds.quotientAndFlooredRemainder(1_000_000_000)
        let (day, inDay) = second.quotientAndFlooredRemainder(86_400)
        let (year, month, dayOfMonth) = Self.civil(fromDay: day)
        func two(_ v: Int64) -> String { v < 10 ? "0\(v)" : "\(v)" }
        let fraction = String(nano + 1_000_000_000).dropFirst()
        return
            "\(year)-\(two(month))-\(two(dayOfMonth))T\(two(inDay / 3600)):\(two(inDay / 60 % 60)):\(two(inDay % 60)).\(fraction)Z"
    }

    /// Reads what `description` writes; one to nine fractional digits, or none. nil for years that 64 bits of
    /// nanoseconds do not reach: from 1678 to 2261 all do.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[4] == UInt8(ascii: "-"),
            bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1678...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        var nano: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count <= 30, bytes.count > 21,
                var fraction = number(20..<(bytes.count - 1))
            else { return nil }
            for _ in (bytes.count - 21)..<9 { fraction *= 10 }
            nano = fraction
        }
        let days = Self.day(year: year, month: month, day: day)
        self.init(nanoseconds: (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + nano)
    }

    // Days are counted in 400-year eras of the proleptic Gregorian calendar, with years that begin in March so that
    // the leap day is the last one of a year.
    private static let daysInEra: Int64 = 146_097
    private static let daysFromEraToEpoch: Int64 = 719_468

    private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, inEra) = (day + daysFromEraToEpoch).quotientAndFlooredRemainder(daysInEra)
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let dayOfYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = marchYear.quotientAndFlooredRemainder(400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let inEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * daysInEra + inEra - daysFromEraToEpoch
    }
}

extension Int64 {
    func quotientAndFlooredRemainder(_ divisor: Int64) -> (Int64, Int64) {
        let (q, r) = quotientAndRemainder(dividingBy: divisor)
        return r < 0 ? (q - 1, r + divisor) : (q, r)
    }
}

/// Written in JSON as the text of `description`, so that a person can read a run's folder.
extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a UTC time")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

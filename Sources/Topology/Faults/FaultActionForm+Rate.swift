import Impairment
import LabFile

/// Frames pass at a limited rate.
extension FaultActionForm {
    static let rate = FaultActionForm(
        word: "rate",
        summary: "`{ rate: 10Mbit/s }`, `{ rate: { limit: 10Mbit/s, burst: 15000, queue: 65536 } }` (bytes)",
        examples: ["{ rate: 10Mbit/s }", "{ rate: { limit: 10Mbit/s, burst: 15000, queue: 65536 } }"],
        keys: ["limit", "burst", "queue"],
        isBare: false
    ) { reading, value in value.flatMap { reading.rate($0) }.map { .limit($0) } }
}

extension FaultActionReading {
    /// `10Mbit/s`, `{ limit: 10Mbit/s, burst: 15000, queue: 65536 }`
    fileprivate func rate(_ value: LabValue) -> RateLimit? {
        guard value.entries != nil else { return bits(value, of: "'rate'").map { RateLimit(bitsPerSecond: $0) } }
        guard let mapping = MappingReader(value, "a rate", keys: FaultActionForm.rate.keys, reader),
            let limit = mapping.required("limit").flatMap({ bits($0, of: "'limit' of a rate") })
        else { return nil }
        var rate = RateLimit(bitsPerSecond: limit)
        if let burst = mapping.integer("burst", in: 1...1_000_000_000) { rate.burst = burst }
        if let queue = mapping.integer("queue", in: 0...1_000_000_000) { rate.queue = queue }
        return rate
    }

    private func bits(_ value: LabValue, of what: String) -> Int64? {
        let units: [(String, Double)] = [("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9), ("bit/s", 1)]
        if let text = value.text, let unit = units.first(where: { text.hasSuffix($0.0) }),
            let number = decimal(String(text.dropLast(unit.0.count))), number * unit.1 >= 1, number * unit.1 <= 1e12
        {
            return Int64(number * unit.1)
        }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a rate with its unit, such as 500kbit/s, 10Mbit/s or 1Gbit/s"])
        return nil
    }
}

import Impairment
import LabFile

/// Reads the `do:` of a fault.
struct FaultActionReading {
    let reader: LabReader
    let direction: (LabValue) -> CableDirection?
    /// Events that let frames go.
    private(set) var awaited: [Located<String>] = []
    /// The filter of `until`, its references not yet replaced.
    private(set) var filter: LabValue?

    private static let actions = ["drop", "loss", "delay", "duplicate", "hold", "corrupt", "reorder", "rate"]
    /// What needs no more than its name.
    private static let bare = ["drop", "duplicate", "hold", "corrupt", "reorder"]
    static let times: ClosedRange<Duration> = .zero...(.seconds(3600))

    init(reader: LabReader, direction: @escaping (LabValue) -> CableDirection?) {
        self.reader = reader
        self.direction = direction
    }

    /// `drop`, `{ delay: 50ms }`
    mutating func read(_ value: LabValue) -> FaultAction? {
        if let word = value.text, Self.bare.contains(word) { return action(word, nil, at: value.position) }
        guard let entry = value.entries?.first, value.entries?.count == 1 else {
            let needs = value.text.map { Self.actions.contains($0) } ?? false
            reader.reportUnknown(
                value.text ?? "",
                needs ? "'\(value.text ?? "")' needs more, as in { delay: 50ms }" : "'do' is \(value.found)",
                at: value.position, allowed: Self.actions)
            return nil
        }
        guard Self.actions.contains(entry.key) else {
            reader.reportUnknown(
                entry.key, "unknown fault '\(LabValue.shortened(entry.key))'", at: entry.keyPosition,
                allowed: Self.actions)
            return nil
        }
        let given = entry.value.isNull && Self.bare.contains(entry.key) ? nil : entry.value
        return action(entry.key, given, at: entry.keyPosition)
    }

    private mutating func action(_ name: String, _ value: LabValue?, at position: SourcePosition) -> FaultAction? {
        switch name {
        case "drop":
            if let value {
                reader.report("'drop' is \(value.found)", at: value.position, allowed: ["nothing: 'do: drop' says all"])
            }
            return value == nil ? .drop : nil
        case "loss": return value.flatMap(loss).map { .lose($0) }
        case "delay": return value.flatMap(delay).map { .delay($0) }
        case "duplicate": return duplication(value).map { .duplicate($0) }
        case "hold": return hold(value).map { .hold($0) }
        case "corrupt": return corruption(value).map { .corrupt($0) }
        case "reorder": return reordering(value).map { .reorder($0) }
        default: return value.flatMap(rate).map { .limit($0) }
        }
    }

    /// `5%`, `{ rate: 5%, burst: 3 }`
    private func loss(_ value: LabValue) -> Loss? {
        guard value.entries != nil else { return share(value, of: "'loss'").map { Loss(rate: $0) } }
        guard let mapping = MappingReader(value, "a loss", keys: ["rate", "burst"], reader),
            let rate = mapping.required("rate").flatMap({ share($0, of: "'rate' of a loss") })
        else { return nil }
        guard let burst = mapping["burst"] else { return Loss(rate: rate) }
        return number(burst, of: "'burst' of a loss", in: 1...1_000_000).map { Loss(rate: rate, burst: $0) }
    }

    private func share(_ value: LabValue, of what: String) -> Double? {
        if let text = value.text, text.hasSuffix("%"), let percent = decimal(String(text.dropLast())), percent <= 100 {
            return percent / 100
        }
        reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share from 0% to 100%"])
        return nil
    }

    private func number(_ value: LabValue, of what: String, in range: ClosedRange<Double>) -> Double? {
        if let number = value.text.flatMap(decimal), range.contains(number) { return number }
        reader.report(
            "\(what) is \(value.found)", at: value.position,
            allowed: ["a number from \(range.lowerBound) to \(range.upperBound)"])
        return nil
    }

    /// Digits and a point; `Double` alone would take `nan`, `1e9` and hexadecimal.
    private func decimal(_ text: String) -> Double? {
        text.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") } && text.count < 16 ? Double(text) : nil
    }

    /// `50ms`, `{ uniform: { from: 10ms, to: 50ms } }`, `{ normal: { mean: 50ms, deviation: 10ms }, keep-order: on }`
    private func delay(_ value: LabValue) -> Delay? {
        if value.text != nil { return reader.duration(value, of: "'delay'", in: Self.times).map { Delay(.fixed($0)) } }
        let kinds = ["time", "uniform", "normal", "exponential", "pareto"]
        guard let mapping = MappingReader(value, "a delay", keys: kinds + ["keep-order", "at-most"], reader) else {
            return nil
        }
        let given = kinds.filter { mapping[$0] != nil }
        guard let kind = given.first, given.count == 1, let form = mapping[kind] else {
            reader.report(
                "a delay has \(given.isEmpty ? "no" : "more than one") distribution", at: value.position, allowed: kinds
            )
            return nil
        }
        let keepsOrder = mapping.flag("keep-order") ?? false
        let atMost = mapping.duration("at-most", in: Self.times)
        return distribution(kind, form).map { Delay($0, keepsOrder: keepsOrder, atMost: atMost) }
    }

    private func distribution(_ kind: String, _ value: LabValue) -> DelayDistribution? {
        if kind == "time" { return reader.duration(value, of: "'time' of a delay", in: Self.times).map { .fixed($0) } }
        if kind == "exponential", value.text != nil {
            return reader.duration(value, of: "'exponential'", in: Self.times).map { .exponential(mean: $0) }
        }
        let keys = [
            "uniform": ["from", "to"], "normal": ["mean", "deviation"], "exponential": ["mean"],
            "pareto": ["minimum", "shape"],
        ]
        guard let mapping = MappingReader(value, "'\(kind)'", keys: keys[kind] ?? [], reader) else { return nil }
        func time(_ key: String) -> Duration? {
            mapping.required(key) == nil ? nil : mapping.duration(key, in: Self.times)
        }
        switch kind {
        case "uniform":
            guard let from = time("from"), let to = time("to") else { return nil }
            guard from <= to else {
                reader.report("'to' of 'uniform' is before 'from'", at: mapping.keyPosition("to"))
                return nil
            }
            return .uniform(from: from, to: to)
        case "normal":
            guard let mean = time("mean"), let deviation = time("deviation") else { return nil }
            return .normal(mean: mean, deviation: deviation)
        case "exponential": return time("mean").map { .exponential(mean: $0) }
        default:
            guard let minimum = time("minimum"),
                let shape = mapping.required("shape").flatMap({ number($0, of: "'shape' of 'pareto'", in: 0.1...100) })
            else { return nil }
            return .pareto(minimum: minimum, shape: shape)
        }
    }

    /// `duplicate`, `3`, `{ copies: 3, gap: 1ms }`
    private func duplication(_ value: LabValue?) -> Duplication? {
        guard let value else { return Duplication() }
        let most = 1...100
        if value.text != nil {
            return reader.integer(value, of: "'duplicate'", in: most).map { Duplication(copies: $0) }
        }
        guard let mapping = MappingReader(value, "a duplication", keys: ["copies", "gap"], reader) else { return nil }
        return Duplication(
            copies: mapping.integer("copies", in: most) ?? 1, gap: mapping.duration("gap", in: Self.times) ?? .zero)
    }

    /// `hold`, `{ copy: on, until: { class: syn, same-flow: on } }`
    private mutating func hold(_ value: LabValue?) -> Hold? {
        guard let value else { return Hold() }
        guard let mapping = MappingReader(value, "a hold", keys: ["copy", "until"], reader) else { return nil }
        let copy = mapping.flag("copy") ?? false
        guard let until = mapping["until"] else { return Hold(copy: copy) }
        return condition(until).map { Hold(copy: copy, until: $0) }
    }

    private mutating func condition(_ value: LabValue) -> ReleaseCondition? {
        // `until: 500ms`
        if value.text != nil {
            return reader.duration(value, of: "'until'", in: Self.times).map { ReleaseCondition(time: $0) }
        }
        let ofFrames = ["class", "match", "direction", "same-flow", "same-client-port", "number"]
        guard
            let mapping = MappingReader(value, "'until'", keys: ofFrames + ["event", "time", "wait"], reader)
        else { return nil }
        var condition = ReleaseCondition(
            event: mapping.text("event"), time: mapping.duration("time", in: Self.times),
            wait: mapping.duration("wait", in: Self.times) ?? .zero)
        if let event = condition.event, let place = mapping["event"]?.position {
            awaited.append(Located(value: event, position: place))
        }
        if ofFrames.contains(where: { mapping[$0] != nil }) {
            var frame = PassingFrame(
                direction: mapping["direction"].flatMap(direction), segment: mapping.choice("class"),
                number: mapping.integer("number", in: 1...1_000_000) ?? 1)
            let (sameFlow, samePort) = (mapping.flag("same-flow") ?? false, mapping.flag("same-client-port") ?? false)
            if sameFlow, samePort {
                reader.report(
                    "'same-flow' says more than 'same-client-port'; keep one",
                    at: mapping.keyPosition("same-client-port"))
            }
            frame.relation = sameFlow ? .flow : samePort ? .clientPort : .any
            if mapping.text("match") != nil { filter = mapping["match"] }
            condition.frame = frame
        }
        if condition.frame == nil, condition.event == nil, condition.time == nil {
            reader.report(
                "'until' needs something to wait for", at: value.position, allowed: ofFrames + ["event", "time"])
        }
        return condition
    }

    /// `corrupt`, `{ part: payload, byte: 3, bit: 0, checksums: fixed }`
    private func corruption(_ value: LabValue?) -> Corruption? {
        guard let value else { return Corruption() }
        guard let mapping = MappingReader(value, "a corruption", keys: ["part", "byte", "bit", "checksums"], reader)
        else {
            return nil
        }
        return Corruption(
            part: mapping.choice("part") ?? .payload, byte: mapping.integer("byte", in: 0...65_535),
            bit: mapping.integer("bit", in: 0...7), checksums: mapping.choice("checksums") ?? .wrong)
    }

    /// `reorder`, `3`, `{ behind: 3, at-most: 100ms }`
    private func reordering(_ value: LabValue?) -> Reordering? {
        guard let value else { return Reordering() }
        let most = 1...10_000
        if value.text != nil { return reader.integer(value, of: "'reorder'", in: most).map { Reordering(behind: $0) } }
        guard let mapping = MappingReader(value, "a reordering", keys: ["behind", "at-most"], reader) else {
            return nil
        }
        return Reordering(
            behind: mapping.integer("behind", in: most) ?? 1,
            atMost: mapping.duration("at-most", in: Self.times) ?? .milliseconds(100))
    }

    /// `10Mbit/s`, `{ limit: 10Mbit/s, burst: 15000, queue: 65536 }`
    private func rate(_ value: LabValue) -> RateLimit? {
        guard value.entries != nil else { return bits(value, of: "'rate'").map { RateLimit(bitsPerSecond: $0) } }
        guard let mapping = MappingReader(value, "a rate", keys: ["limit", "burst", "queue"], reader),
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

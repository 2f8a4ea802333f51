import Impairment
import LabFile

/// The frame is late.
extension FaultActionForm {
    static let delay = FaultActionForm(
        word: "delay",
        summary:
            "`{ delay: 50ms }`, `{ delay: { uniform: { from, to }, keep-order: on, at-most: 500ms } }`; instead of `uniform` also `time: 50ms`, `normal: { mean, deviation }`, `exponential: 5ms`, `pareto: { minimum, shape }`",
        examples: [
            "{ delay: 50ms }", "{ delay: { time: 50ms } }",
            "{ delay: { uniform: { from: 10ms, to: 50ms }, keep-order: on, at-most: 500ms } }",
            "{ delay: { normal: { mean: 50ms, deviation: 10ms } } }", "{ delay: { exponential: { mean: 5ms } } }",
            "{ delay: { pareto: { minimum: 5ms, shape: 2 } } }",
        ],
        keys: distributions + ["keep-order", "at-most"],
        innerKeys: ["from", "to", "mean", "deviation", "minimum", "shape"],
        isBare: false
    ) { reading, value in value.flatMap { reading.delay($0) }.map { .delay($0) } }

    fileprivate static let distributions = ["time", "uniform", "normal", "exponential", "pareto"]
}

extension FaultActionReading {
    /// `50ms`, `{ uniform: { from: 10ms, to: 50ms } }`, `{ normal: { mean: 50ms, deviation: 10ms }, keep-order: on }`
    fileprivate func delay(_ value: LabValue) -> Delay? {
        if value.text != nil { return reader.duration(value, of: "'delay'", in: Self.times).map { Delay(.fixed($0)) } }
        let kinds = FaultActionForm.distributions
        guard let mapping = MappingReader(value, "a delay", keys: FaultActionForm.delay.keys, reader) else {
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
}

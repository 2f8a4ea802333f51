import Impairment
import LabFile

/// The frame, or a copy of it, is held until a condition holds.
extension FaultActionForm {
    static let hold = FaultActionForm(
        word: "hold",
        summary: "`hold` (until released), `{ hold: { copy, until } }`. `copy: on` forwards the frame and holds a copy",
        examples: [
            "hold", "{ hold: { copy: on, until: 500ms } }",
            "{ hold: { until: { class: syn, match: tcp, direction: to-client, same-flow: on, number: 2 } } }",
            "{ hold: { until: { same-client-port: on, event: done, time: 1s, wait: 1ms } } }",
        ],
        keys: ["copy", "until"],
        innerKeys: ofFrames + ["event", "time", "wait"]
    ) { reading, value in reading.hold(value).map { .hold($0) } }

    fileprivate static let ofFrames = ["class", "match", "direction", "same-flow", "same-client-port", "number"]
}

extension FaultActionReading {
    /// `hold`, `{ copy: on, until: { class: syn, same-flow: on } }`
    fileprivate mutating func hold(_ value: LabValue?) -> Hold? {
        guard let value else { return Hold() }
        guard let mapping = MappingReader(value, "a hold", keys: FaultActionForm.hold.keys, reader) else { return nil }
        let copy = mapping.flag("copy") ?? false
        guard let until = mapping["until"] else { return Hold(copy: copy) }
        return condition(until).map { Hold(copy: copy, until: $0) }
    }

    private mutating func condition(_ value: LabValue) -> ReleaseCondition? {
        // `until: 500ms`
        if value.text != nil {
            return reader.duration(value, of: "'until'", in: Self.times).map { ReleaseCondition(time: $0) }
        }
        let ofFrames = FaultActionForm.ofFrames
        guard
            let mapping = MappingReader(value, "'until'", keys: FaultActionForm.hold.innerKeys, reader)
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
}

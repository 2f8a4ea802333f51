import Expectation
import LabFile

/// Which flows must be seen at a second place and time.
extension ExpectationForm {
    static let carriedOver = ExpectationForm(
        word: "carried-over", summary: "[flows that are seen again elsewhere](#carried-over)",
        example: """
            - carried-over:
                by: [ip.src, tcp.srcport]
                match: tcp
                first: { on: client.net, before: done }
                then: { on: lb.net, match: tcp, after: begun }
                count: "> 1"
                missing: "<= 3"
            """,
        keys: ["by", "match", "first", "then", "count", "missing"], innerKeys: placeKeys,
        subject: CarryExpectation.self
    ) { reading, subject, _ in reading.carriedOver(subject.value) }

    fileprivate static let placeKeys = ["on", "match", "after", "before"]
}

extension ExpectationReading {
    /// `carried-over: { by: [ip.src, udp.srcport], first: { on: fw-a.wan, before: failover }, then: { on: fw-b.wan } }`
    fileprivate mutating func carriedOver(_ value: LabValue) -> ExpectationForm.Read? {
        guard
            let mapping = MappingReader(
                value, "an expectation of what is carried over", keys: ExpectationForm.carriedOver.keys, reader)
        else { return nil }
        let fields = (mapping["by"].map { reader.list($0) } ?? []).compactMap { by -> String? in
            if let field = by.text, FrameField(field) != nil { return field }
            reader.reportUnknown(
                by.text ?? "", "'by' is \(by.found), which is no field of a frame", at: by.position,
                allowed: FrameField.allNames)
            return nil
        }
        let comparisons = ComparisonReading(reader: reader)
        let count = mapping["count"].flatMap { comparisons.integer($0, of: "'count'") }
        let missing = mapping["missing"].flatMap { comparisons.integer($0, of: "'missing'") } ?? Comparison(.equal, 0)
        let (firstValue, thenValue) = (mapping.required("first"), mapping.required("then"))
        guard let match = filter(mapping), let firstValue, let thenValue,
            let first = place(firstValue, "first", match), let then = place(thenValue, "then", match)
        else { return nil }
        let expectation = CarryExpectation(fields: fields, first: first, then: then, count: count, missing: missing)
        return (.carriedOver(expectation), "\(first.node)-\(first.interface)-carried-over")
    }

    private mutating func place(_ value: LabValue, _ key: String, _ match: String?) -> CarryExpectation.Place? {
        guard let mapping = MappingReader(value, "'\(key)'", keys: ExpectationForm.placeKeys, reader) else {
            return nil
        }
        let interfaces = InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader)
        let on = mapping.required("on").flatMap { interfaces.read($0, of: "on") }
        if let on, !capture.interfaces.contains(on) {
            reader.report(
                "\(on) is not captured in this lab", at: mapping.keyPosition("on"),
                allowed: capture.interfaces.map(\.description))
        }
        guard let own = filter(mapping), let on else { return nil }
        return CarryExpectation.Place(
            node: on.node, interface: on.interface, match: own ?? match, after: mapping["after"].flatMap(anchor),
            before: mapping["before"].flatMap(anchor))
    }
}

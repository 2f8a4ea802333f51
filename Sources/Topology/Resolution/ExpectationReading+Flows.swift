import Expectation
import LabFile

/// What flows must show before and after a moment: which of them moved, and what is carried over.
extension ExpectationReading {
    /// `moved: { of: app, on: lb.servers, by: eth.dst, at: lb.member-down, ideal: 33% }`
    mutating func moved(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of moved flows", keys: LabKeys.moved, reader) else {
            return nil
        }
        let interfaces = InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader)
        let on = mapping.required("on").flatMap { interfaces.read($0, of: "on") }
        let at = mapping.required("at").flatMap(anchor)
        let ideal = mapping.required("ideal").flatMap { percent($0, of: "'ideal'") }
        let tolerance = mapping["tolerance"].map { percent($0, of: "'tolerance'") } ?? 10
        guard let of = mapping.required("of"), let by = mapping.required("by"), let on, let at, let ideal, let tolerance
        else { return nil }
        guard let program = of.text, traffic.contains(program) else {
            reader.reportUnknown(
                of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
            return nil
        }
        checkIsNoCrowd(of)
        guard let field = by.text, FrameField(field) != nil else {
            reader.reportUnknown(
                by.text ?? "", "'by' is \(by.found), which is no field of a frame", at: by.position,
                allowed: FrameField.allNames.filter { !$0.hasPrefix("inner.") })
            return nil
        }
        func end(_ key: String) -> String? {
            guard let value = mapping[key], let text = mapping.text(key),
                let resolved = references.resolve(text, at: value.position, reader)
            else { return nil }
            if let problem = FieldCheck(field: field, condition: .equals(resolved)).problem {
                reader.report(problem, at: value.position)
            }
            return resolved
        }
        guard let match = filter(mapping) else { return nil }
        let expectation = MoveExpectation(
            node: on.node, interface: on.interface, match: match, flowsOf: program, field: field, moment: at,
            from: end("from"), to: end("to"), ideal: ideal, tolerance: tolerance)
        return (.moved(expectation), "\(program)-moved-\(at.event.split(separator: ".").joined(separator: "-"))")
    }

    /// `carried-over: { by: [ip.src, udp.srcport], first: { on: fw-a.wan, before: failover }, then: { on: fw-b.wan } }`
    mutating func carriedOver(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        guard
            let mapping = MappingReader(
                value, "an expectation of what is carried over", keys: LabKeys.carriedOver, reader)
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

    mutating func place(_ value: LabValue, _ key: String, _ match: String?) -> CarryExpectation.Place? {
        guard let mapping = MappingReader(value, "'\(key)'", keys: LabKeys.place, reader) else { return nil }
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

    /// `33.3%`
    func percent(_ value: LabValue, of what: String) -> Double? {
        guard let text = value.text, text.hasSuffix("%"), let number = Double(text.dropLast()),
            (0...100).contains(number)
        else {
            reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share, such as 33.3%"])
            return nil
        }
        return number
    }
}

import Expectation
import LabFile

/// Which flows must change a field of their frames at a moment.
extension ExpectationForm {
    static let moved = ExpectationForm(
        word: "moved", summary: "[flows whose frames change a field](#moved)",
        example: """
            - moved: { of: app, on: client.net, match: tcp, by: eth.dst, at: done, ideal: 33%, tolerance: 5%,
                       from: client.net.mac, to: lb.net.mac }
            """,
        keys: ["of", "on", "match", "by", "at", "from", "to", "ideal", "tolerance"], subject: MoveExpectation.self
    ) { reading, subject, _ in reading.moved(subject.value) }
}

extension ExpectationReading {
    /// `moved: { of: app, on: lb.servers, by: eth.dst, at: lb.member-down, ideal: 33% }`
    fileprivate mutating func moved(_ value: LabValue) -> ExpectationForm.Read? {
        guard
            let mapping = MappingReader(
                value, "an expectation of moved flows", keys: ExpectationForm.moved.keys, reader)
        else {
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

    /// `33.3%`
    private func percent(_ value: LabValue, of what: String) -> Double? {
        guard let text = value.text, text.hasSuffix("%"), let number = Double(text.dropLast()),
            (0...100).contains(number)
        else {
            reader.report("\(what) is \(value.found)", at: value.position, allowed: ["a share, such as 33.3%"])
            return nil
        }
        return number
    }
}

import Expectation
import LabFile

/// What the frames of a capture must show.
extension ExpectationForm {
    static let frames = ExpectationForm(
        word: "frames", summary: "[captured frames](#frames)",
        example: """
            - frames: { on: client.net, match: tcp, of: app, direction: to-client, after: begun, before: done, within: 1s,
                        control: { match: tcp } }
              none: { tcp.flags: RST }
            - frames: { on: client.net }
              count: { is: "> 1", ip.ttl: 64 }
            - { frames: { on: client.net }, every: { eth.type: 2048 } }
            - { frames: { on: client.net }, some: { tcp.flags: SYN } }
            - { frames: { on: client.net, of: app }, first: { tcp.flags: SYN } }
            - { frames: { on: client.net, of: app }, sequence: [{ tcp.flags: SYN }, { tcp.flags: SYN-ACK }] }
            """,
        keys: selectionKeys + ["control"],
        requirements: ["every", "some", "none", "count", "first", "sequence"],
        subject: FrameExpectation.self
    ) { reading, subject, item in reading.frames(subject.value, item) }

    fileprivate static let selectionKeys = ["on", "match", "of", "direction", "after", "before", "within"]
}

extension ExpectationReading {
    fileprivate mutating func frames(
        _ value: LabValue, _ item: MappingReader
    ) -> ExpectationForm.Read? {
        guard let mapping = MappingReader(value, "an expectation of frames", keys: ExpectationForm.frames.keys, reader)
        else {
            return nil
        }
        _ = mapping.required("on")
        guard let selection = selection(mapping), let (requirement, words) = requirement(item),
            let node = selection.node, let interface = selection.interface
        else { return nil }
        var control: FrameControl?
        if let value = mapping["control"] {
            if !requirement.isBorneOutByAbsence {
                reader.report(
                    "'control' says what must be there where nothing else may be; this expectation asks for frames itself",
                    at: mapping.keyPosition("control"), allowed: ["beside none, or a count that 0 satisfies"])
            }
            guard
                let fields = MappingReader(
                    value, "the control of an expectation", keys: ExpectationForm.selectionKeys, reader),
                let read = self.selection(fields)
            else { return nil }
            if value.entries?.isEmpty == true {
                reader.report(
                    "'control' selects nothing", at: value.position,
                    allowed: [
                        "a mapping such as { match: tcp }, of " + ExpectationForm.selectionKeys.joined(separator: ", ")
                    ])
            }
            control = read
        }
        let expectation = FrameExpectation(
            node: node, interface: interface, match: selection.match, flowsOf: selection.flowsOf,
            direction: selection.direction, after: selection.after, before: selection.before, within: selection.within,
            requirement: requirement, control: control)
        return (.frames(expectation), "\(node)-\(interface)-\(words)")
    }

    /// What an expectation of frames, or its control, selects; nil after a mistake was told.
    private mutating func selection(_ mapping: MappingReader) -> FrameControl? {
        let on = mapping["on"].flatMap {
            InterfaceReading(nodes: nodes, elements: elements, allowsTunnels: true, reader: reader).read($0, of: "on")
        }
        if let on, !capture.interfaces.contains(on) {
            reader.report(
                "\(on) is not captured in this lab", at: mapping.keyPosition("on"),
                allowed: capture.interfaces.map(\.description))
        }
        guard let match = filter(mapping) else { return nil }
        if let of = mapping["of"] {
            if !traffic.contains(of.text ?? "") {
                reader.reportUnknown(
                    of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
            }
            checkIsNoCrowd(of)
        }
        let direction: FrameExpectation.Direction? = mapping.choice("direction")
        if let value = mapping["direction"], mapping["of"] == nil {
            reader.report("'direction' needs 'of': only a traffic program has clients and servers", at: value.position)
        }
        let within = mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400)))
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        return FrameControl(
            node: on?.node, interface: on?.interface, match: match, flowsOf: mapping.text("of"), direction: direction,
            after: mapping["after"].flatMap(anchor), before: mapping["before"].flatMap(anchor), within: within)
    }

    private func requirement(_ item: MappingReader) -> (FrameExpectation.Requirement, String)? {
        guard let (key, value) = onlyRequirement(item, of: "frames", among: ExpectationForm.frames.requirements) else {
            return nil
        }
        let checks = CheckReading(reader: reader, references: references)
        switch key {
        case "every", "first":
            let fields = checks.read(value, of: key)
            if value.entries?.isEmpty == true {
                reader.report("'\(key)' needs at least one field to check", at: value.position)
            }
            return (key == "every" ? .every(fields) : .first(fields), checks.words(key, value))
        case "some", "none":
            let fields = value.isNull || value.text == "true" ? [] : checks.read(value, of: key)
            return (key == "some" ? .some(fields) : .none(fields), checks.words(key, value))
        case "count":
            let comparisons = ComparisonReading(reader: reader)
            guard let entries = value.entries else {
                return comparisons.integer(value, of: "'count'").map { (.count($0, []), "count") }
            }
            guard let number = entries.first(where: { $0.key == "is" })?.value else {
                reader.report("'count' needs the key 'is', such as is: \"> 3\"", at: value.position)
                return nil
            }
            let fields = checks.read(value.setting("is", to: nil), of: key)
            return comparisons.integer(number, of: "'count'").map { (.count($0, fields), checks.words(key, value)) }
        default:
            guard let steps = value.elements, !steps.isEmpty else {
                reader.report(
                    "'sequence' is \(value.found)", at: value.position, allowed: ["a list of mappings of fields"])
                return nil
            }
            return (.sequence(steps.map { checks.read($0, of: "a step of 'sequence'") }), key)
        }
    }
}

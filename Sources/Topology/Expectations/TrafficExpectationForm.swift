import Expectation
import LabFile
import Measurement

/// What a traffic program must have met.
extension ExpectationForm {
    static let traffic = ExpectationForm(
        word: nil, summary: "[the client's figures](#traffic)",
        example: """
            - app: survives
            - { app: { succeeds: true }, id: all-succeed }
            - app: { survives: true, longest-gap: "< 1s", lost: 0, duplicated: 0, reordered: 0, after: begun, before: done }
            - app: { outcome: survived, statuses: { 200: "> 1", other: 0 } }
            - load: { succeeds: true, values: { rate: "> 100" } }
            - app: { lost: { share: 50%, chance: 99% } }
            - stream: { survives: true, reconnects: "<= 1", longest-disconnection: "< 1s" }
            """,
        keys: [
            "outcome", "survives", "succeeds", "longest-gap", "lost", "duplicated", "reordered", "reconnects",
            "longest-disconnection", "statuses", "values", "after", "before",
        ],
        innerKeys: lossKeys,
        subject: TrafficExpectation.self
    ) { reading, subject, _ in reading.traffic(subject) }

    fileprivate static let lossKeys = ["share", "chance"]
}

extension ExpectationReading {
    fileprivate func traffic(_ entry: LabEntry) -> ExpectationForm.Read? {
        let name = entry.key
        if !started.contains(name) {
            reader.report("traffic program '\(name)' is never started by the scenario", at: entry.keyPosition)
        }
        var expectation = TrafficExpectation(traffic: name)
        if let text = entry.value.text {
            let words = FlowOutcome.allCases.map(\.rawValue) + ["survives", "succeeds"]
            guard words.contains(text) else {
                reader.reportUnknown(
                    text, "the outcome of '\(name)' is \(entry.value.found)", at: entry.value.position, allowed: words)
                return nil
            }
            expectation.outcome = FlowOutcome(rawValue: text) ?? .survived
            return (.traffic(expectation), "\(name)-\(text)")
        }
        guard
            let mapping = MappingReader(
                entry.value, "an expectation of traffic", keys: ExpectationForm.traffic.keys, reader)
        else { return nil }
        var words: [String] = []
        if mapping["outcome"] != nil {
            expectation.outcome = mapping.choice("outcome")
            words.append(expectation.outcome?.rawValue ?? "outcome")
        }
        for key in ["survives", "succeeds"] {
            guard let value = mapping.flag(key) else { continue }
            if mapping["outcome"] != nil || (key == "succeeds" && mapping["survives"] != nil) {
                reader.report(
                    "'\(key)' says the same as another key of this expectation; keep one", at: mapping.keyPosition(key))
            }
            if value { expectation.outcome = .survived } else { expectation.fails = true }
            words.append(value ? key : "fails")
        }
        let comparisons = ComparisonReading(reader: reader)
        expectation.longestGap = mapping["longest-gap"].flatMap { comparisons.duration($0, of: "'longest-gap'") }
        if let lost = mapping["lost"], lost.entries != nil {
            expectation.randomLoss = randomLoss(lost)
            guard expectation.randomLoss != nil else { return nil }
        } else {
            expectation.lost = mapping["lost"].flatMap { comparisons.integer($0, of: "'lost'") }
        }
        expectation.duplicated = mapping["duplicated"].flatMap { comparisons.integer($0, of: "'duplicated'") }
        expectation.reordered = mapping["reordered"].flatMap { comparisons.integer($0, of: "'reordered'") }
        expectation.reconnects = mapping["reconnects"].flatMap { comparisons.integer($0, of: "'reconnects'") }
        expectation.longestDisconnection = mapping["longest-disconnection"].flatMap {
            comparisons.duration($0, of: "'longest-disconnection'")
        }
        for key in ["reconnects", "longest-disconnection"] where mapping[key] != nil {
            guard programs.contains(where: { $0.name == name && $0.options.reconnect == nil }) else { continue }
            reader.report(
                "'\(name)' does not reconnect: its traffic program has no 'reconnect'", at: mapping.keyPosition(key),
                allowed: ["a program with reconnect: on, of kind tcp-stream"])
        }
        expectation.statuses = mapping["statuses"].map { statuses($0, of: name) } ?? []
        expectation.values = mapping["values"].map { values($0, of: name) } ?? []
        expectation.after = mapping["after"].flatMap(anchor)
        expectation.before = mapping["before"].flatMap(anchor)
        for key in ["after", "before"] where mapping[key] != nil {
            guard programs.contains(where: { $0.name == name && $0.kind.type.sumsFlows }) else { continue }
            reader.report(
                "'\(key)' selects flows by their starts, and those of a crowd are not listed",
                at: mapping.keyPosition(key))
        }
        for key in [
            "longest-gap", "lost", "duplicated", "reordered", "reconnects", "longest-disconnection", "statuses",
            "values",
        ] where mapping[key] != nil {
            words.append(key)
        }
        if words.isEmpty {
            reader.report(
                "this expectation of '\(name)' expects nothing", at: entry.value.position,
                allowed: ExpectationForm.traffic.keys)
            return nil
        }
        return (.traffic(expectation), ([name] + words).joined(separator: "-"))
    }

    /// `lost: { share: 50%, chance: 99.9% }`
    private func randomLoss(_ value: LabValue) -> RandomLoss? {
        guard let mapping = MappingReader(value, "'lost'", keys: ExpectationForm.lossKeys, reader),
            let shareValue = mapping.required("share")
        else { return nil }
        func percent(_ value: LabValue, _ what: String) -> Double? {
            if let text = value.text, text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0,
                percent < 100
            {
                return percent / 100
            }
            reader.report(
                "\(what) is \(value.found)", at: value.position, allowed: ["a share between 0% and 100%, such as 50%"])
            return nil
        }
        guard let share = percent(shareValue, "'share' of 'lost'") else { return nil }
        guard let chance = mapping["chance"] else { return RandomLoss(share: share, confidence: 0.9999) }
        return percent(chance, "'chance' of 'lost'").map { RandomLoss(share: share, confidence: $0) }
    }

    /// `{ rate: "> 100" }`
    private func values(_ value: LabValue, of name: String) -> [ValueExpectation] {
        let program = programs.first { $0.name == name }
        let known = program?.options(of: CommandTraffic.self)?.values.map(\.name) ?? []
        if let program, known.isEmpty {
            reader.report(
                "'\(name)' has no values: \(program.kind == .command ? "its traffic program names none" : "it is no command")",
                at: value.position, allowed: ["a traffic program of kind command with 'values'"])
            return []
        }
        guard let entries = value.entries, !entries.isEmpty else {
            reader.report(
                "'values' " + (value.entries == nil ? "is \(value.found)" : "names no value"), at: value.position,
                allowed: ["a mapping of " + known.joined(separator: ", ")])
            return []
        }
        return entries.compactMap { entry in
            guard program == nil || known.contains(entry.key) else {
                reader.reportUnknown(
                    entry.key, "'\(name)' has no value '\(LabValue.shortened(entry.key))'", at: entry.keyPosition,
                    allowed: known)
                return nil
            }
            return ComparisonReading(reader: reader).number(entry.value, of: "'\(entry.key)' of 'values'")
                .map { ValueExpectation(name: entry.key, value: $0) }
        }
    }

    /// `{ 200: "> 1000", 502: "< 1%", none: 0, other: 0 }`
    private func statuses(_ value: LabValue, of name: String) -> [StatusExpectation] {
        if programs.contains(where: { $0.name == name && !$0.kind.type.hasStatuses }) {
            reader.report("'\(name)' is no http-request, so its answers have no status", at: value.position)
        }
        let words = ["a status from 100 to 599", "none", "other"]
        guard let entries = value.entries, !entries.isEmpty else {
            reader.report(
                "'statuses' " + (value.entries == nil ? "is \(value.found)" : "names no status"), at: value.position,
                allowed: ["a mapping of " + words.joined(separator: ", ")])
            return []
        }
        return entries.compactMap { entry in
            let answer: StatusExpectation.Answer
            switch (entry.key, Int(entry.key)) {
            case ("none", _): answer = .none
            case ("other", _): answer = .other
            case (_, let status?) where (100...599).contains(status): answer = .status(status)
            default:
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no status", at: entry.keyPosition, allowed: words,
                    suggestion: Spelling.nearest(to: entry.key, among: ["none", "other"]))
                return nil
            }
            return ComparisonReading(reader: reader).amount(entry.value, of: "'\(entry.key)' of 'statuses'")
                .map { StatusExpectation(answer, $0) }
        }
    }
}

import Evidence
import Expectation
import Integrity
import LabEvents
import LabTime
import Measurement

/// One variant's part of the text report.
struct VariantText {
    private let variant: VariantVerdict
    private let report: TextReport
    private var color: ColorMode { report.color }

    /// More events than this are left to `events.jsonl`.
    private static let eventsShown = 12
    private static let findingsShown = 6

    init(_ variant: VariantVerdict, _ report: TextReport) {
        self.variant = variant
        self.report = report
    }

    var lines: [String] {
        var lines = [heading]
        if let problem = variant.problem {
            lines += report.wrapped(problem, lead: "  did not finish: ")
        }
        for part in [attempts, seed, events, traffic, expectations, captures, leftOut, integrity] where !part.isEmpty {
            lines.append("")
            lines += part.map { "  " + $0 }
        }
        return lines
    }

    private var heading: String {
        let mark = color.paint("\(variant.verdict.mark) \(variant.label)", variant.verdict.ink)
        return "\(mark)  \(variant.finding)  " + color.paint("\(Self.seconds(variant.seconds)) s", .dim)
    }

    /// Runs before this one, which decided nothing.
    private var attempts: [String] {
        (variant.earlierAttempts ?? []).enumerated().flatMap { number, attempt in
            report.wrapped(
                "\(attempt.reason) (\(attempt.folder))", lead: "attempt \(number + 1) was inconclusive: ")
        }
    }

    /// How to repeat the same random faults.
    private var seed: [String] {
        variant.seed.map { ["random faults used seed \($0); repeat with --seed \($0)"] } ?? []
    }

    // MARK: Events

    private var events: [String] {
        // What nodes report before the scenario has begun is the lab's coming up, unless an expectation refers to it.
        guard let first = variant.events.firstIndex(where: \.isOfScenario) else { return [] }
        let all = variant.events[first...]
        // Of several at one time the first: they look alike.
        var referred = variant.referredEvents
        // Neighbours are learned all the time.
        var left = Self.eventsShown
        let shown = variant.events.indices.filter { index in
            let event = variant.events[index]
            let isAmongFirst = index >= first && left > 0 && event.kind != EventKind.neighborChanged.rawValue
            if isAmongFirst { left -= 1 }
            return isAmongFirst || referred.remove(event.place) != nil
        }
        var table = TextTable([("event", .left), ("time", .right), ("what", .left), ("where", .left)])
        for index in shown {
            let event = variant.events[index]
            let offset = event.offsetMilliseconds.map { Duration(milliseconds: $0).inSeconds } ?? ""
            table.add([
                .init(event.name, event.isOfScenario ? .bold : nil),
                .init(index == first ? Self.timeOfDay(event.time) : offset.hasPrefix("-") ? offset : "+\(offset)"),
                .init(event.kind),
                .init(event.node ?? ""),
            ])
        }
        var lines = table.lines(color)
        let more = all.count - shown.count { $0 >= first }
        if more > 0 { lines.append("… and \(more) more in events.jsonl") }
        return lines
    }

    // MARK: Traffic

    private var traffic: [String] {
        guard !variant.traffic.isEmpty else { return [] }
        var table = TextTable([
            ("traffic", .left), ("kind", .left), ("flows", .right), ("outcome", .left), ("sent", .right),
            ("received", .right), ("lost", .right), ("longest gap", .left),
        ])
        for entry in variant.traffic {
            table.add([
                .init(entry.name, .bold), .init(entry.kind.rawValue), .init("\(entry.flows)"), .init(entry.outcomeText),
                .init("\(entry.sent)"), .init("\(entry.received)"), .init("\(entry.lost)"), .init(entry.gapText),
            ])
        }
        return table.lines(color) + variant.traffic.flatMap(notes)
    }

    /// What a figure alone would hide.
    private func notes(_ entry: TrafficEntry) -> [String] {
        var notes = entry.connect.map { [$0.text] } ?? []
        if let statuses = entry.statusText { notes.append(statuses) }
        if let values = entry.valueText { notes.append(values) }
        if entry.duplicated > 0 { notes.append("\(entry.duplicated) answers arrived twice") }
        if entry.reordered > 0 { notes.append("\(entry.reordered) arrived out of order") }
        if !entry.gapMethodsAgree {
            let byLoss = Duration(milliseconds: entry.lossDerivedGapMilliseconds)
            notes.append(
                "by loss the gap is \(byLoss.forPeople), by timestamps \(Duration(milliseconds: entry.longestGapMilliseconds).forPeople)"
                    + (entry.lost == 0 ? ": answers were delayed, not lost" : "")
            )
        }
        if entry.lateProbes > 0 {
            notes.append("\(entry.lateProbes) probes were sent late because the machine was busy")
        }
        if entry.skippedProbes > 0 { notes.append("\(entry.skippedProbes) probes were due and never sent") }
        if let reason = entry.reason { notes.append(reason) }
        return notes.map { "\(entry.name): \($0)" }
    }

    // MARK: Expectations

    private var expectations: [String] {
        variant.expectations.flatMap { entry in
            switch entry.verdict {
            case .pass: passed(entry)
            case .fail, .inconclusive: undecidedOrFailed(entry)
            }
        }
    }

    private func passed(_ entry: ExpectationEntry) -> [String] {
        title(entry) + report.wrapped(entry.seen, lead: "    ") + entry.eventNotes.map { "    " + $0 }
            + entry.frames.map { "    " + place($0) }
    }

    private func undecidedOrFailed(_ entry: ExpectationEntry) -> [String] {
        var lines = title(entry)
        lines += report.wrapped(entry.seen, lead: "    seen       ")
        lines += entry.eventNotes.map { "    event      " + $0 }
        lines += entry.frames.flatMap { frame("frame", $0) }
        if let nearest = entry.nearest { lines += frame("nearest", nearest) }
        if let filter = entry.wiresharkFilter { lines.append("    Wireshark  \(filter)") }
        return lines
    }

    private func title(_ entry: ExpectationEntry) -> [String] {
        let lead = entry.verdict == .pass ? "  " : "  expected "
        var lines = report.wrapped(entry.expected, lead: lead)
        lines[0] = color.paint(entry.verdict.mark, entry.verdict.ink) + lines[0].dropFirst()
        lines[lines.count - 1] += color.paint("  [\(entry.id)]", .dim)
        return lines
    }

    private func frame(_ title: String, _ frame: FrameEntry) -> [String] {
        let indent = String(repeating: " ", count: 15)
        let lead = "    " + title + String(repeating: " ", count: 11 - title.count)
        let time = frame.moment == nil ? [] : [indent + frame.time.description]
        return [lead + place(frame)] + time + (frame.note.map { [indent + $0] } ?? [])
    }

    /// `captures/lb.inside.pcap #812 at +0.734 s after failover`
    private func place(_ frame: FrameEntry) -> String {
        "\(frame.capture) #\(frame.number) at \(frame.moment ?? frame.time.description)"
            + (frame.role.map { " (\($0))" } ?? "")
    }

    // MARK: Captures

    private var captures: [String] {
        guard !variant.captures.isEmpty else { return [] }
        let frames = variant.captures.reduce(0) { $0 + $1.frames }
        let dropping = variant.captures.filter { $0.dropped > 0 || $0.losses != nil }
        let count = variant.captures.count
        var line = "\(count) capture\(count == 1 ? "" : "s"), \(frames) frames, "
        let isLimited = dropping.contains { $0.leftOut != nil }
        line +=
            dropping.isEmpty
            ? "none dropped" : color.paint(isLimited ? "LEFT OUT BY --capture-limit" : "DROPPED", .yellow)
        if let folder = report.folder { line += ", in \(folder)/\(variant.folder)/captures" }
        return [line]
            + dropping.map { entry in
                let leftOut = entry.leftOut ?? 0
                let (lacking, what) =
                    leftOut == 0
                    ? (entry.dropped, "dropped")
                    : entry.dropped == 0
                        ? (leftOut, "left out") : (leftOut + entry.dropped, "left out (\(leftOut)) or dropped")
                return "  \(entry.path): \(lacking) \(what) of \(entry.frames + lacking)\(losses(entry))"
            }
    }

    /// `logs/lb.chatty.log: 559939584 bytes left out after the first 4194304 because of its limit`
    private var leftOut: [String] { (variant.leftOut ?? []).flatMap { report.wrapped($0.text, lead: "") } }

    // MARK: Integrity

    /// One line, and more where something is wrong.
    private var integrity: [String] {
        guard let integrity = variant.integrity else { return [] }
        let verdict = integrity.verdict
        let mark = color.paint(verdict.mark, verdict.ink)
        let unexamined = integrity.unexamined.flatMap { report.wrapped($0, lead: "  not examined: ") }
        switch verdict {
        case .pass:
            let cables = integrity.cables == 0 ? "" : ", both ends of \(integrity.cables) cables match"
            return ["\(mark) integrity: \(integrity.frames) frames read\(cables)"] + unexamined
        case .inconclusive, .fail:
            let isCutOff = integrity.findings.allSatisfy { $0.kind == .captureLimit }
            let what =
                verdict == .fail
                ? "a box did what no box may do" : isCutOff ? "evidence was left out" : "damaged evidence"
            let shown = integrity.findings.prefix(Self.findingsShown).flatMap { report.wrapped($0.text, lead: "    ") }
            let more = integrity.findings.count - Self.findingsShown
            return ["\(mark) integrity: \(what)"] + shown
                + (more > 0 ? ["    … and \(more) more in verdict.json"] : []) + unexamined
        }
    }

    private func losses(_ entry: CaptureEntry) -> String {
        let shown = (entry.losses ?? []).prefix(3).map { loss in
            (loss.frames == nil ? "an unknown number " : "")
                + "from \(Self.timeOfDay(loss.from)) to \(Self.timeOfDay(loss.to))"
        }
        return shown.isEmpty ? "" : ": " + shown.joined(separator: ", ") + (entry.losses!.count > 3 ? ", …" : "")
    }

    // MARK: Numbers

    /// With one decimal, without the unit.
    static func seconds(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `08:30:00.123` of `2026-11-21T08:30:00.123456789Z`
    private static func timeOfDay(_ time: Timestamp) -> String { String(time.description.dropFirst(11).prefix(12)) }
}

extension VariantVerdict {
    /// `symptom reproduced`, `remedy not as expected`
    var finding: String {
        switch (verdict, shows) {
        case (.pass, "symptom"): "symptom reproduced"
        case (.pass, "remedy"): "remedy proven"
        case (.pass, _): "\(shows) as expected"
        case (.fail, _): "\(shows) not as expected"
        case (.inconclusive, _): "\(shows) not decided"
        }
    }
}

extension FileGap {
    var text: String {
        let lines = lines == 0 ? "" : " (\(lines) line\(lines == 1 ? "" : "s"))"
        return "\(path): \(bytes) bytes\(lines) left out after the first \(offset) because of its limit"
    }
}

extension ConnectStatistics {
    /// `Sent = 3, Received = 0, Lost = 3 (100% loss), Minimum = 0.00ms, Maximum = 0.00ms, Average = 0.00ms`
    var text: String {
        let loss = lostPercent == lostPercent.rounded() ? "\(Int(lostPercent))" : "\(lostPercent)"
        return
            "Sent = \(sent), Received = \(received), Lost = \(lost) (\(loss)% loss), Minimum = \(Self.places(minimumMilliseconds))ms, "
            + "Maximum = \(Self.places(maximumMilliseconds))ms, Average = \(Self.places(averageMilliseconds))ms"
    }

    /// With two places.
    private static func places(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension TrafficEntry {
    /// `timed-out`; of mixed outcomes each with its count.
    var outcomeText: String {
        guard outcome == .mixed else { return outcome?.rawValue ?? "no flow" }
        return outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    /// `2978 × status 200, 12 × status 502 (0.4 %)`; nil where every answer had the same.
    var statusText: String? {
        guard let statuses, statuses.count > 1 else { return nil }
        let all = statuses.values.reduce(0, +)
        return statuses.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.enumerated().map { index, status in
            let words = "\(status.value) × " + (status.key == "none" ? "no answer" : "status \(status.key)")
            let share = (Double(status.value) / Double(all) * 10_000).rounded() / 100
            return index == 0 ? words : "\(words) (\(share) %)"
        }.joined(separator: ", ")
    }

    /// `connect 0.002 to 0.2 in 5 runs, rate 1290 in 1 run`; nil where no run printed any.
    var valueText: String? {
        guard let values, !values.isEmpty else { return nil }
        return values.sorted { $0.key < $1.key }.map { name, range in
            let numbers = range.minimum == range.maximum ? [range.minimum] : [range.minimum, range.maximum]
            return "\(name) \(numbers.map(Self.number).joined(separator: " to ")) in \(range.runs) "
                + (range.runs == 1 ? "run" : "runs")
        }.joined(separator: ", ")
    }

    /// Whole numbers without their point.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// `52 ms ± 10 ms`, `≥ 2.01 s, never ended`
    var gapText: String {
        guard longestGapStart != nil else { return "–" }
        let length = Duration(milliseconds: longestGapMilliseconds).forPeople
        return recovered
            ? "\(length) ± \(Duration(milliseconds: resolutionMilliseconds).forPeople)" : "≥ \(length), never ended"
    }
}

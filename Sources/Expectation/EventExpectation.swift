public import Evidence
public import LabTime

/// A named event must, or must not, have happened (`event: { name: fw-b.active, count: 1 }`).
public struct EventExpectation: ExpectationKind {
    public var event: String
    /// Only events whose details pass these count.
    public var with: [RecordCheck]
    public var count: Comparison<Int>
    public var after: Anchor?
    public var before: Anchor?
    public var within: Duration?
    /// The node, or the impairment link of a fault, that would report the event; nil of the scenario's own events.
    public var reporter: String?

    public init(
        event: String, with: [RecordCheck] = [], count: Comparison<Int>, after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil, reporter: String? = nil
    ) {
        self.event = event
        self.with = with
        self.count = count
        self.after = after
        self.before = before
        self.within = within
        self.reporter = reporter
    }
}

extension EventExpectation {
    public var sentence: String {
        let times = count.value == 1 ? "time" : "times"
        let amount = count.amount == "no" ? "does not happen" : "happens \(count.amount) \(times)"
        let with = with.isEmpty ? "" : " with \(with.words)"
        return "event \(event)\(with) \(amount)" + TimeWindow.words(after: after, before: before, within: within)
    }

    public var isBorneOutByAbsence: Bool { count.holds(for: 0) }

    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        if within != nil, after == nil {
            throw UndecidableExpectation("'within' sets the length of a window, but no 'after' sets its start")
        }
        let window = try TimeWindow(after: after, before: before, within: within, in: evidence)
        let all = evidence.events.filter { $0.name == event }
        let checks = try ResolvedRecordChecks(with, in: evidence)
        if let unknown = checks.unknownFields(among: all.map(\.details)).first, let some = all.first {
            throw UndecidableExpectation(
                "no event \(event) has a detail '\(unknown)'; the first has \(some.details.keys.sorted().joined(separator: ", "))"
            )
        }
        let inTime = all.filter { window.contains($0.time) }
        let happened = inTime.filter { checks.hold(for: $0.details) }
        func moment(_ event: LabEvent) -> String {
            let anchor = window.reference ?? evidence.referenceEvent
            guard anchor != event, let moment = evidence.moment(of: event.time, from: anchor) else {
                return "at \(event.time)"
            }
            return "at \(moment)"
        }
        var seen =
            happened.isEmpty
            ? "it did not happen" : "it happened \(happened.count == 1 ? "once" : "\(happened.count) times")"
        if let first = happened.first {
            seen += ", first \(moment(first))" + (checks.isEmpty ? "" : ": \(checks.seen(in: first.details))")
        } else if let other = inTime.first {
            seen += " so, but \(moment(other)) with \(checks.seen(in: other.details))"
        } else if let other = all.first {
            seen += " in that time, but \(moment(other))"
        }
        var verdict: ExpectationVerdict = count.holds(for: happened.count) ? .pass : .fail
        if verdict == .pass, happened.isEmpty, let lack = lackOfControl(window, in: evidence) {
            verdict = .inconclusive
            seen += "; but \(lack)"
        } else if let gap = evidence.eventGap, gap.overlaps(window),
            !count.isDecided(from: happened.count, more: gap.count)
        {
            verdict = .inconclusive
            seen += "; but \(gap.reason(RunEvidence.missingEvents, in: evidence))"
        } else if let gap = evidence.kernelGaps(of: event).first(where: { $0.overlaps(window) }),
            !count.isDecided(from: happened.count, more: .max)
        {
            verdict = .inconclusive
            seen += "; but \(gap.reason(in: evidence))"
        }
        return ExpectationResult(id: id, verdict: verdict, expected: sentence, seen: seen)
    }

    public func events(in evidence: RunEvidence) -> [EventReference] {
        let window = try? TimeWindow(after: after, before: before, within: within, in: evidence)
        let checks = try? ResolvedRecordChecks(with, in: evidence)
        var counted = evidence.events(named: event)
        if let window, let checks {
            let passing = counted.filter { window.contains($0.time) && checks.hold(for: $0.details) }
            if !passing.isEmpty { counted = passing }
        }
        return [EventReference].ends(after, before, in: evidence)
            + counted.prefix(EventReference.counted).map { EventReference($0, role: "counted", in: evidence) }
            + [EventReference].details(with, in: evidence)
    }

    public func end(in evidence: RunEvidence) -> Timestamp? {
        try? TimeWindow(after: after, before: before, within: within, in: evidence).end
    }

    /// Why the event's absence proves nothing: its reporter reported nothing in the whole window or after it, not
    /// even its counters at the end of the run. nil where it proves something.
    private func lackOfControl(_ window: TimeWindow, in evidence: RunEvidence) -> String? {
        let words = TimeWindow.words(after: after, before: before, within: within)
        if let lack = window.lacksEvidence(until: evidence.lastEventTime, words) { return lack }
        guard let reporter, evidence.counters[reporter] == nil else { return nil }
        let hasReported = evidence.events.contains { event in
            event.isReport(of: reporter) && window.start.map { event.time >= $0 } ?? true
        }
        return hasReported
            ? nil
            : "\(reporter), which would report it, has reported nothing"
                + (window.opening.map { " since \($0.name)" } ?? "") + ", and left no counters"
    }
}

extension LabEvent {
    /// Whether the node itself, or an impairment link about one of its faults, reported it: `fw-b.active`,
    /// `late-fin.held`. What the supervisor does to a node is named by the scenario.
    fileprivate func isReport(of reporter: String) -> Bool { node == reporter && name.hasSuffix(".\(kind)") }
}

extension ExpectationSpecification.Subject {
    public static func event(_ expectation: EventExpectation) -> Self { Self(expectation) }
}

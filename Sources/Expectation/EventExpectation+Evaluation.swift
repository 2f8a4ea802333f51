import Evidence

extension EventExpectation {
    var sentence: String {
        let times = count.value == 1 ? "time" : "times"
        let amount = count.amount == "no" ? "does not happen" : "happens \(count.amount) \(times)"
        let with = with.isEmpty ? "" : " with \(with.words)"
        return "event \(event)\(with) \(amount)" + TimeWindow.words(after: after, before: before, within: within)
    }

    func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        if within != nil, after == nil {
            throw UndecidableExpectation("'within' says how long a window is, and no 'after' says where it begins")
        }
        let window = try TimeWindow(after: after, before: before, within: within, in: evidence)
        if window.isEmpty {
            throw UndecidableExpectation(
                "the window\(TimeWindow.words(after: after, before: before)) is empty: it ends before it begins")
        }
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
            let anchor = (after ?? before)?.event ?? evidence.referenceEvent?.name
            guard anchor != event.name, let moment = evidence.moment(of: event.time, from: anchor) else {
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
        return ExpectationResult(
            id: id, verdict: count.holds(for: happened.count) ? .pass : .fail, expected: sentence, seen: seen)
    }
}

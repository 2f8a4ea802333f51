import Evidence

extension EventExpectation {
    var sentence: String {
        let times = count.value == 1 ? "time" : "times"
        let amount = count.amount == "no" ? "does not happen" : "happens \(count.amount) \(times)"
        return "event \(event) \(amount)" + TimeWindow.words(after: after, before: nil, within: within)
    }

    func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        if within != nil, after == nil {
            throw UndecidableExpectation("'within' says how long a window is, and no 'after' says where it begins")
        }
        let window = try TimeWindow(after: after, before: nil, within: within, in: evidence)
        let all = evidence.events.filter { $0.name == event }
        let happened = all.filter { window.contains($0.time) }
        func moment(_ event: LabEvent) -> String {
            let anchor = after?.event ?? evidence.referenceEvent?.name
            guard anchor != event.name, let moment = evidence.moment(of: event.time, from: anchor) else {
                return "at \(event.time)"
            }
            return "at \(moment)"
        }
        var seen =
            happened.isEmpty
            ? "it did not happen" : "it happened \(happened.count == 1 ? "once" : "\(happened.count) times")"
        if let first = happened.first { seen += ", first \(moment(first))" }
        if happened.isEmpty, let other = all.first { seen += " in that time, but \(moment(other))" }
        return ExpectationResult(
            id: id, verdict: count.holds(for: happened.count) ? .pass : .fail, expected: sentence, seen: seen)
    }
}

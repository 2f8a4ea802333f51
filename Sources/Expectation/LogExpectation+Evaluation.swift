public import Evidence
import LabTime

extension LogExpectation {
    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        if within != nil, after == nil {
            throw UndecidableExpectation("'within' sets the length of a window, but no 'after' sets its start")
        }
        let window = try TimeWindow(after: after, before: before, within: within, in: evidence)
        guard let log = evidence.logs[node] else {
            throw UndecidableExpectation("\(node) left no access log")
        }
        let chosen = try ResolvedRecordChecks(selection, in: evidence)
        let lines = log.filter { window.contains($0.time) && chosen.hold(for: $0.fields) }
        let finding = try finding(lines, window, in: evidence)
        var verdict: ExpectationVerdict = finding.holds ? .pass : .fail
        var seen = finding.seen
        if verdict == .pass, finding.passing == 0, requirement.isBorneOutByAbsence {
            let words = TimeWindow.words(after: after, before: before, within: within)
            let lack =
                log.isEmpty
                ? "\(node) logged no request at all, so there is no evidence that it would have logged this one"
                : window.lacksEvidence(
                    until: max(evidence.lastEventTime ?? log[0].time, log[log.count - 1].time), words)
            if let lack {
                verdict = .inconclusive
                seen += "; but \(lack)"
            }
        }
        if verdict != .inconclusive, let gap = evidence.logGaps[node], gap.overlaps(window),
            !isDecided(finding, lines, gap)
        {
            verdict = .inconclusive
            seen += "; but \(gap.reason(RunEvidence.missingRequests(of: node), in: evidence))"
        }
        return ExpectationResult(id: id, verdict: verdict, expected: sentence, seen: seen)
    }

    /// Whether lines that are missing could not have changed the finding.
    private func isDecided(
        _ finding: (holds: Bool, seen: String, passing: Int), _ lines: [LogLine], _ gap: RecordGap
    ) -> Bool {
        switch requirement {
        case .every: !finding.holds && !lines.isEmpty
        case .some: finding.holds
        case .none: !finding.holds
        case .count(let comparison, _): comparison.isDecided(from: finding.passing, more: gap.count)
        case .first: lines.first.map { $0.time < gap.from } ?? false
        }
    }

    private func finding(
        _ lines: [LogLine], _ window: TimeWindow, in evidence: RunEvidence
    ) throws -> (holds: Bool, seen: String, passing: Int) {
        let checks = try ResolvedRecordChecks(requirement.checks, in: evidence)
        let passing = lines.filter { checks.hold(for: $0.fields) }
        let finding = finding(lines, passing, checks, window, in: evidence)
        return (finding.holds, finding.seen, passing.count)
    }

    private func finding(
        _ lines: [LogLine], _ passing: [LogLine], _ checks: ResolvedRecordChecks, _ window: TimeWindow,
        in evidence: RunEvidence
    ) -> (holds: Bool, seen: String) {
        /// `line 6 at +1.502 s after late-fin.released: status 502, snatPort 4000`
        func summary(of line: LogLine) -> String {
            let moment = evidence.moment(of: line.time, from: window.reference).map { " at \($0)" } ?? ""
            let fields = checks.isEmpty ? line.summary : checks.seen(in: line.fields)
            return "line \(line.number)\(moment): \(fields)"
        }
        let all = lines.count == 1 ? "1 line" : "\(lines.count) lines"
        switch requirement {
        case .every:
            guard let breaking = lines.first(where: { !checks.hold(for: $0.fields) }) else {
                return (!lines.isEmpty, lines.first.map { "all of \(all), first \(summary(of: $0))" } ?? "no such line")
            }
            return (false, "\(lines.count - passing.count) of \(all) do not, first \(summary(of: breaking))")
        case .some:
            let nearest = lines.first.map { "none of \(all), first \(summary(of: $0))" } ?? "no such line"
            return (!passing.isEmpty, passing.first.map(summary) ?? nearest)
        case .none:
            return (
                passing.isEmpty,
                passing.first.map { "\(passing.count) of \(all), first \(summary(of: $0))" } ?? "none of \(all)"
            )
        case .count(let comparison, _):
            return (
                comparison.holds(for: passing.count),
                "\(passing.count) of \(all)" + (passing.first.map { ", first \(summary(of: $0))" } ?? "")
            )
        case .first:
            guard let first = lines.first else { return (false, "no such line") }
            return (checks.hold(for: first.fields), summary(of: first))
        }
    }
}

extension LogExpectation.Requirement {
    var checks: [RecordCheck] {
        switch self {
        case .every(let checks), .some(let checks), .none(let checks), .first(let checks), .count(_, let checks): checks
        }
    }
}

extension LogLine {
    /// The fields that describe a request best.
    fileprivate var summary: String {
        ["method", "uri", "status", "reason"].compactMap { fields[$0] }.joined(separator: " ")
    }
}

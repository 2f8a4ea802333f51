import Evidence
import LabTime

// What a file of the run left out because of its limit, or a node's kernel reported too fast, may have decided an
// expectation: then it is inconclusive.

extension RecordGap {
    /// Whether one of the records that are missing may lie within.
    func overlaps(_ window: TimeWindow) -> Bool { count > 0 && window.overlaps(from: from, to: to) }

    /// - Parameter what: `events are missing in events.jsonl`
    func reason(_ what: String, in evidence: RunEvidence) -> String {
        let since = evidence.moment(of: from)?.description ?? from.description
        let until = evidence.moment(of: to)?.description ?? to.description
        return "\(count) \(what), which had grown to its limit, from \(since) to \(until)"
    }
}

extension KernelGap {
    func overlaps(_ window: TimeWindow) -> Bool { window.overlaps(from: from, to: to) }

    func reason(in evidence: RunEvidence) -> String {
        let since = evidence.moment(of: from)?.description ?? from.description
        let until = evidence.moment(of: to)?.description ?? to.description
        let cause = reason == "limit" ? "more than are recorded" : "more than it could read"
        return "events of \(node)'s kernel may be missing from \(since) to \(until), when there were \(cause)"
    }
}

extension RunEvidence {
    static let missingEvents = "events are missing in events.jsonl"

    /// - Parameter node: of the access log
    static func missingRequests(of node: String) -> String { "requests are missing in \(node)'s access log" }

    /// - Parameters:
    ///   - found: the first event of that name since `start`, as far as events are there
    /// - Throws: `UndecidableExpectation` where an earlier one may be missing
    func checkIsFirst(_ found: LabEvent?, named name: String, since start: Timestamp?) throws {
        let ofKernel = kernelGaps(of: name).first { gap in
            start.map { gap.to >= $0 } ?? true && found.map { $0.time >= gap.from } ?? true
        }
        if let ofKernel {
            throw UndecidableExpectation("\(ofKernel.reason(in: self)): the first event \(name) may be one of them")
        }
        guard let gap = eventGap, gap.count > 0, start.map({ gap.to >= $0 }) ?? true,
            found.map({ $0.time >= gap.from }) ?? true
        else { return }
        throw UndecidableExpectation(
            "\(gap.reason(Self.missingEvents, in: self)): the first event \(name) may be one of them")
    }
}

extension Comparison<Int> {
    /// Whether it holds for every count from `low` to `low` + `more`, or for none of them.
    func isDecided(from low: Int, more: Int) -> Bool {
        let (sum, isTooMuch) = low.addingReportingOverflow(more)
        let high = isTooMuch ? Int.max : sum
        let ends = holds(for: low) == holds(for: high)
        return relation == .equal ? ends && !(value > low && value < high) : ends
    }
}

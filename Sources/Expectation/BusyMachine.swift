import Evidence
import LabTime

/// A failure that a busy machine may have caused proves nothing.
///
/// A process that ran late delays everything after it: a missed heartbeat moves a role, with all that follows.
/// So every delay counts that began before the end of the expectation's window.
extension ExpectationResult {
    mutating func weigh(_ delays: [ProcessDelay], before end: Timestamp?, in evidence: RunEvidence) {
        guard verdict == .fail else { return }
        let relevant = delays.filter { delay in end.map { delay.from < $0 } ?? true }
        guard let longest = relevant.max(by: { $0.milliseconds < $1.milliseconds }) else { return }
        verdict = .inconclusive
        let moment = evidence.moment(of: longest.from)?.description ?? longest.from.description
        let lateness = Duration.microseconds(Int64(clamping: longest.milliseconds * 1000))
        seen += "; but the machine was busy: \(longest.process) ran \(lateness.forPeople) late at \(moment)"
        let others = Set(relevant.map(\.process)).count - 1
        if others > 0 { seen += ", and so did \(others) other\(others == 1 ? "" : "s")" }
    }
}

extension Int64 {
    /// Nearest whole number of nanoseconds, microseconds, …; the bounds for what lies beyond, 0 for what is no number.
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? 0 : Int64(exactly: value.rounded()) ?? (value < 0 ? .min / 1_000_000 : .max / 1_000_000)
    }
}

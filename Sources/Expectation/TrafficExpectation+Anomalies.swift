import Evidence
import LabEvents
import Measurement

/// Anomalies of a traffic result that no expectation names, and that a pass must not hide.
///
/// | the client had | and the lab | a pass becomes |
/// |---|---|---|
/// | probes that were due and never sent | – | inconclusive, where what these would have met counts |
/// | duplicate answers | has no fault that repeats frames, and never had two Active | fail |
/// | bytes or datagrams that answer nothing | has no fault that corrupts frames | fail |
/// | answers out of order | has no fault that delays or holds frames | stays, and is reported |
extension TrafficExpectation {
    struct Anomaly: Hashable {
        /// nil where it is only reported.
        var verdict: ExpectationVerdict?
        var seen: String
    }

    func anomalies(of result: TrafficResult, _ figures: TrafficFigures, in evidence: RunEvidence) -> [Anomaly] {
        guard claimsHealth || randomLoss != nil || !statuses.isEmpty || !values.isEmpty else { return [] }
        var anomalies: [Anomaly] = []
        if result.skipped > 0, asksForFigures || result.program.kind.opensFlowForEachProbe {
            let reason = result.problem.map { " (\($0))" } ?? ""
            anomalies.append(
                Anomaly(
                    verdict: .inconclusive,
                    seen:
                        "\(Self.count(result.skipped, "probe")) of \(traffic) \(result.skipped == 1 ? "was" : "were") "
                        + "never sent\(reason)"))
        }
        let kinds = Set(evidence.events.map(\.kind))
        func lacks(_ faults: EventKind...) -> Bool { !faults.contains { kinds.contains($0.rawValue) } }
        if figures.totals.duplicated > 0, duplicated == nil, lacks(.duplicated, .released, .dualActive) {
            anomalies.append(
                Anomaly(
                    verdict: .fail,
                    seen:
                        "\(Self.count(figures.totals.duplicated, "answer")) arrived twice, although no fault duplicated a frame"
                ))
        }
        if figures.garbage > 0, lacks(.corrupted) {
            let unit = result.program.kind.isTCP ? "byte" : "datagram"
            anomalies.append(
                Anomaly(
                    verdict: .fail,
                    seen:
                        "\(Self.count(figures.garbage, unit)) arrived that answered no probe, although no fault corrupted a frame"
                ))
        }
        if figures.totals.reordered > 0, reordered == nil, lacks(.reordered, .delayed, .held, .released, .limited) {
            anomalies.append(
                Anomaly(verdict: nil, seen: "\(Self.count(figures.totals.reordered, "answer")) arrived out of order"))
        }
        return anomalies
    }

    /// Whether it expects healthy traffic, not a symptom.
    private var claimsHealth: Bool {
        outcome == .survived || lost?.holds(for: 0) == true || longestGap?.holds(for: .zero) == true
    }

    /// Whether a probe that was not sent could have changed what is asked for.
    private var asksForFigures: Bool {
        lost != nil || longestGap != nil || randomLoss != nil || !statuses.isEmpty || !values.isEmpty
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

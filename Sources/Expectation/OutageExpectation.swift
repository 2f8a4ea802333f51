public import Evidence
import LabTime
import Measurement
import Wire

/// The longest time without an answer, as the frames at the client show it (`outage: { of: app, at-most: 500ms }`).
///
/// It runs from an answer, or from the first request, to the next answer. Of flows with several requests each counts by
/// itself. Where each request is a flow of its own, an answer to any of them ends it: the outage of the service.
public struct OutageExpectation: ExpectationKind {
    /// The traffic program's name.
    public var traffic: String
    public var atMost: Duration?
    public var atLeast: Duration?
    /// Only times without an answer that reach into this window; each counts with its whole length.
    public var after: Anchor?
    public var before: Anchor?

    public init(
        traffic: String, atMost: Duration? = nil, atLeast: Duration? = nil, after: Anchor? = nil, before: Anchor? = nil
    ) {
        self.traffic = traffic
        self.atMost = atMost
        self.atLeast = atLeast
        self.after = after
        self.before = before
    }
}

extension OutageExpectation {
    public var sentence: String {
        let bounds = [
            atLeast.map { "at least \($0.forPeople)" }, atMost.map { "at most \($0.forPeople)" },
        ].compactMap(\.self).joined(separator: " and ")
        return "the longest outage of \(traffic)\(TimeWindow.words(after: after, before: before)) is \(bounds)"
    }

    /// Without a frame there is nothing to measure.
    public var isBorneOutByAbsence: Bool { false }

    public func events(in evidence: RunEvidence) -> [EventReference] { .ends(after, before, in: evidence) }

    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        guard let result = evidence.traffic(named: traffic) else {
            throw UndecidableExpectation("traffic \(traffic) left no result")
        }
        try result.requireKnownPorts(in: evidence)
        let node = result.program.from
        let captures = evidence.captures.filter { $0.node == node }
        guard !captures.isEmpty else { throw UndecidableExpectation("nothing was captured at \(node)") }
        let window = try TimeWindow(after: after, before: before, in: evidence)
        let outages = try ClientOutages(of: result, captures, in: evidence).all.filter {
            window.overlaps(from: $0.start.time, to: $0.end.time)
        }
        guard let longest = outages.max(by: { $0.length < $1.length }) else {
            throw UndecidableExpectation("no request of \(traffic) was captured at \(node) then")
        }
        var (verdict, seen) = decide(longest, unended: outages.first { !$0.isOver }, result)
        if let lack = captures.lazy.compactMap(\.lack).first {
            verdict = .inconclusive
            seen += "; but \(lack)"
        }
        let frames = try [longest.start, longest.end].map { frame in
            FrameReference(
                capture: captures[frame.capture].path, number: frame.number, time: frame.time,
                moment: evidence.moment(of: frame.time, from: window.reference), role: longest.role(of: frame),
                note: try frame.summary(in: captures[frame.capture], of: result.program, evidence))
        }
        return ExpectationResult(id: id, verdict: verdict, expected: sentence, seen: seen, frames: frames)
    }

    /// An outage that no answer ended may be longer than what was captured of it.
    private func decide(
        _ longest: ClientOutages.Outage, unended: ClientOutages.Outage?, _ result: TrafficResult
    ) -> (ExpectationVerdict, String) {
        let flow = longest.flow.map { result.flows[$0] }
        let owner = flow.map { " of \($0.source.endpoint(port: $0.sourcePort))" } ?? ""
        var seen =
            "longest outage\(owner) \(longest.length.forPeople)"
            + (longest.isOver ? "" : ", which no answer ended")
            + ", with requests every \(result.program.every.forPeople)"
        var verdicts: [ExpectationVerdict] = []
        if let atMost {
            verdicts.append(longest.length > atMost ? .fail : unended == nil ? .pass : .inconclusive)
        }
        if let atLeast {
            verdicts.append(longest.length >= atLeast ? .pass : unended == nil ? .fail : .inconclusive)
        }
        let verdict = ExpectationVerdict(combining: verdicts)
        if verdict == .inconclusive, longest.isOver {
            seen += "; but the last requests had no answer, so that a longer one may have begun"
        }
        return (verdict, seen)
    }
}

extension ExpectationSpecification.Subject {
    public static func outage(_ expectation: OutageExpectation) -> Self { Self(expectation) }
}

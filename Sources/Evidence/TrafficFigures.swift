public import LabTime
public import Measurement

/// A traffic program's figures over a selection of its flows, with the silences that no answer ended.
public struct TrafficFigures: Sendable {
    /// A time without an answer.
    public struct Silence: Sendable {
        public var start: Timestamp
        public var length: Duration
        /// False where no answer came after it: the true silence is at least this long.
        public var isOver: Bool
        /// The flow that shows it: the silent one or, of a program with a flow for each probe, the one that ended it.
        public var flow: FlowResult
    }

    public var totals: TrafficTotals
    public var outcomes: [FlowOutcome: Int]
    /// Bytes (TCP) or datagrams (UDP) that answered nothing.
    public var garbage: Int
    /// nil where there were too few answers. A silence that is not over counts as longer than any that is.
    public var longestSilence: Silence?
    /// Long-lived flows that did not survive; of programs with a flow for each probe, the probes that failed.
    public var failed: Int
    /// The cadence, which is also the shortest gap that can be measured.
    public var resolution: Duration
    /// The most significant flow: the first that failed, else the one with the longest silence, else the first.
    public var telling: FlowResult?

    /// Complexity: O(n log n) in the number of flows
    public init(of flows: [FlowResult], and further: FurtherFlows? = nil, program: TrafficProgram) {
        totals = TrafficTotals(of: flows, and: further, opensFlowForEachProbe: program.kind.opensFlowForEachProbe)
        outcomes = Dictionary(flows.map { ($0.outcome, 1) }, uniquingKeysWith: +)
        for outcome in FlowOutcome.allCases {
            if let more = further?.count(of: outcome), more > 0 { outcomes[outcome, default: 0] += more }
        }
        garbage = flows.reduce(0) { $0 + $1.garbage }
        failed = outcomes.reduce(0) { $1.key == .survived ? $0 : $0 + $1.value }
        resolution = program.every
        let known = flows + [further?.telling].compactMap(\.self)
        longestSilence =
            program.kind.opensFlowForEachProbe ? Self.silenceOfProbes(known) : Self.silenceOfStreams(known)
        telling = known.first { $0.outcome != .survived } ?? longestSilence?.flow ?? known.first
    }

    public init(_ result: TrafficResult) {
        self.init(of: result.flows, and: result.further, program: result.program)
    }

    private static func silenceOfStreams(_ flows: [FlowResult]) -> Silence? {
        let silences = flows.compactMap { flow -> Silence? in
            if flow.outcome == .survived {
                return flow.longestGap.map {
                    Silence(start: $0.start, length: $0.length, isOver: true, flow: flow)
                }
            }
            // Without a single answer the flow was silent from its start.
            let gap = flow.longestGap ?? Gap(start: flow.start, length: flow.end - flow.start)
            return Silence(start: gap.start, length: gap.length, isOver: false, flow: flow)
        }
        return silences.max { ($0.isOver ? 0 : 1, $0.length) < ($1.isOver ? 0 : 1, $1.length) }
    }

    /// Between two probes that succeeded; also from the first probe on and up to the last, where those failed.
    private static func silenceOfProbes(_ flows: [FlowResult]) -> Silence? {
        let inOrder = flows.sorted { $0.end < $1.end }
        guard let first = flows.min(by: { $0.start < $1.start }), let last = inOrder.last else { return nil }
        let successes = inOrder.filter { $0.outcome == .survived }
        guard let firstSuccess = successes.first, let lastSuccess = successes.last else {
            return Silence(start: first.start, length: last.end - first.start, isOver: false, flow: first)
        }
        var silences = zip(successes, successes.dropFirst()).map { before, after in
            Silence(start: before.end, length: after.end - before.end, isOver: true, flow: after)
        }
        if first.outcome != .survived {
            silences.append(
                Silence(
                    start: first.start, length: firstSuccess.end - first.start, isOver: true, flow: firstSuccess))
        }
        // Failed probes after which none succeeded: compared by their starts, because the timeout delays their ends.
        if let unanswered = flows.filter({ $0.outcome != .survived && $0.start > lastSuccess.start })
            .min(by: { $0.start < $1.start })
        {
            return Silence(
                start: lastSuccess.end, length: last.end - lastSuccess.end, isOver: false, flow: unanswered)
        }
        return silences.max { $0.length < $1.length }
    }
}

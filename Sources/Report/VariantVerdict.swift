public import Evidence
public import Expectation

/// What became of one variant.
public struct VariantVerdict: Hashable, Sendable, Codable {
    public var name: String
    /// `symptom`, `remedy` or `control`: what the variant is there to show.
    public var shows: String
    public var verdict: ExpectationVerdict
    /// From the first node's start until everything was taken down.
    public var seconds: Double
    public var events: [EventEntry]
    public var traffic: [TrafficEntry]
    public var expectations: [ExpectationEntry]
    public var captures: [CaptureEntry]
    /// Why the variant did not run to its end, in words; its verdict is then never pass.
    public var problem: String?

    /// - Parameters:
    ///   - results: none leaves the variant inconclusive: nothing asked is nothing proven.
    ///   - problem: why the variant did not run to its end; turns a pass into inconclusive.
    public init(
        name: String, shows: String, seconds: Double, evidence: RunEvidence, results: [ExpectationResult],
        problem: String? = nil
    ) {
        self.name = name
        self.shows = shows
        self.seconds = Self.rounded(seconds)
        self.problem = problem
        let judged = ExpectationVerdict(combining: results.map(\.verdict))
        verdict = problem != nil && judged == .pass ? .inconclusive : judged
        events = evidence.events.map { EventEntry($0, reference: evidence.referenceEvent) }
        traffic = evidence.traffic.map(TrafficEntry.init)
        expectations = results.map(ExpectationEntry.init)
        captures = evidence.captures.map(CaptureEntry.init)
    }

    /// A variant that left nothing behind to judge.
    public init(name: String, shows: String, seconds: Double, problem: String) {
        self.name = name
        self.shows = shows
        self.seconds = Self.rounded(seconds)
        self.problem = problem
        verdict = .inconclusive
        events = []
        traffic = []
        expectations = []
        captures = []
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

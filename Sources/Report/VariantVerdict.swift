public import Evidence
public import Expectation
public import Integrity
import LabTime

/// The result of one variant.
public struct VariantVerdict: Hashable, Sendable, Codable {
    public var name: String
    /// The repetition, from 1, where everything was run several times.
    public var repetition: Int?
    /// `symptom`, `remedy` or `control`: what the variant is there to show.
    public var shows: String
    public var verdict: ExpectationVerdict
    /// From the first node's start until everything was taken down.
    public var seconds: Double
    public var events: [EventEntry]
    public var traffic: [TrafficEntry]
    public var expectations: [ExpectationEntry]
    public var captures: [CaptureEntry]
    /// Why the variant did not finish, in words; its verdict is then never pass.
    public var problem: String?
    /// Runs of it before this one that decided nothing; absent where this was the first.
    public var earlierAttempts: [EarlierAttempt]?
    /// Of all randomness that has no seed of its own; absent where nothing was random.
    public var seed: Int?
    /// The examination of the evidence itself, whatever the lab expects; absent where the variant did not finish.
    public var integrity: IntegrityReport?
    /// What is missing in files of the run because of their limits; absent where nothing is.
    public var leftOut: [FileGap]?
    /// What answers at which port, as the lab file says; absent where nothing does, and of a variant that did not finish.
    public var serves: [ServedPortEntry]?

    /// - Parameters:
    ///   - results: none leaves the variant inconclusive.
    ///   - problem: why the variant did not finish; makes a pass inconclusive.
    ///   - integrity: damage leaves the variant in doubt, also where an expectation failed; what no box may do fails it.
    public init(
        name: String, repetition: Int? = nil, shows: String, seconds: Double, evidence: RunEvidence,
        results: [ExpectationResult], problem: String? = nil, seed: Int? = nil, integrity: IntegrityReport? = nil
    ) {
        self.name = name
        self.repetition = repetition
        self.seed = seed
        self.shows = shows
        self.seconds = Self.rounded(seconds)
        self.problem = problem
        let combined = ExpectationVerdict(combining: results.map(\.verdict))
        self.integrity = integrity
        verdict =
            switch integrity?.verdict {
            case .inconclusive: .inconclusive
            case .fail: .fail
            case .pass, nil: problem != nil && combined == .pass ? .inconclusive : combined
            }
        events = evidence.events.map { EventEntry($0, reference: evidence.referenceEvent) }
        traffic = evidence.traffic.map(TrafficEntry.init)
        expectations = results.map(ExpectationEntry.init)
        captures = evidence.captures.map(CaptureEntry.init)
        leftOut = evidence.fileGaps.isEmpty ? nil : evidence.fileGaps
    }

    /// A variant that left nothing to evaluate.
    public init(
        name: String, repetition: Int? = nil, shows: String, seconds: Double, problem: String, seed: Int? = nil
    ) {
        self.name = name
        self.repetition = repetition
        self.seed = seed
        self.shows = shows
        self.seconds = Self.rounded(seconds)
        self.problem = problem
        verdict = .inconclusive
        events = []
        traffic = []
        expectations = []
        captures = []
    }

    /// What reports call it: `tcp-fast-path`; where it was run several times, `tcp-fast-path #2`.
    public var label: String { repetition.map { "\(name) #\($0)" } ?? name }

    /// Its folder, below the run's.
    public var folder: String { repetition.map { "\($0)/\(name)" } ?? name }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

extension VariantVerdict {
    /// An event's place on the clock, with its name.
    struct EventPlace: Hashable {
        var name: String
        var time: Timestamp
    }

    /// The events that expectations refer to.
    var referredEvents: Set<EventPlace> {
        Set(expectations.flatMap { $0.events ?? [] }.map { EventPlace(name: $0.name, time: $0.time) })
    }
}

extension EventEntry {
    var place: VariantVerdict.EventPlace { .init(name: name, time: time) }
}

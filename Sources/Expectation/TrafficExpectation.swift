public import Evidence
public import Measurement

/// What the endpoints of a traffic program must have seen. All given conditions must hold.
public struct TrafficExpectation: ExpectationKind {
    /// The traffic program's name.
    public var traffic: String
    /// Every flow must have ended so. (`succeeds` and `survives` resolve to `.survived`.)
    public var outcome: FlowOutcome?
    /// `succeeds: false`: no flow may have survived.
    public var fails: Bool
    public var longestGap: Comparison<Duration>?
    /// Sum over the flows.
    public var lost: Comparison<Int>?
    /// As many flows fail as random loss makes likely.
    public var randomLoss: RandomLoss?
    public var duplicated: Comparison<Int>?
    public var reordered: Comparison<Int>?
    /// Connections that were established after an error, over all flows.
    public var reconnects: Comparison<Int>?
    /// The longest time that a flow had no connection, from an error to the next handshake.
    public var longestDisconnection: Comparison<Duration>?
    /// Of `http-request`: how many answers had which status.
    public var statuses: [StatusExpectation]
    /// Of `command`: numbers in its output.
    public var values: [ValueExpectation]
    /// Only flows that started after, or before, this point (for programs that open a new flow for each probe).
    public var after: Anchor?
    public var before: Anchor?

    public init(
        traffic: String, outcome: FlowOutcome? = nil, fails: Bool = false, longestGap: Comparison<Duration>? = nil,
        lost: Comparison<Int>? = nil, randomLoss: RandomLoss? = nil, duplicated: Comparison<Int>? = nil,
        reordered: Comparison<Int>? = nil, reconnects: Comparison<Int>? = nil,
        longestDisconnection: Comparison<Duration>? = nil, statuses: [StatusExpectation] = [],
        values: [ValueExpectation] = [], after: Anchor? = nil, before: Anchor? = nil
    ) {
        self.traffic = traffic
        self.outcome = outcome
        self.fails = fails
        self.longestGap = longestGap
        self.lost = lost
        self.randomLoss = randomLoss
        self.duplicated = duplicated
        self.reordered = reordered
        self.reconnects = reconnects
        self.longestDisconnection = longestDisconnection
        self.statuses = statuses
        self.values = values
        self.after = after
        self.before = before
    }
}

extension TrafficExpectation {
    /// Figures of answers alone, each with a bound that zero answers satisfy as well.
    public var isBorneOutByAbsence: Bool {
        guard outcome == nil, !fails, longestGap == nil, lost == nil, randomLoss == nil, values.isEmpty else {
            return false
        }
        let ofAnswers = [duplicated, reordered, reconnects].compactMap(\.self)
        guard !ofAnswers.isEmpty || !statuses.isEmpty || longestDisconnection != nil else { return false }
        guard longestDisconnection.map({ $0.holds(for: .zero) }) ?? true else { return false }
        return ofAnswers.allSatisfy { $0.holds(for: 0) }
            && statuses.allSatisfy { $0.answer != .none && $0.answer != .other && $0.holds(for: 0, of: 1) }
    }

    public func events(in evidence: RunEvidence) -> [EventReference] { .ends(after, before, in: evidence) }
}

extension ExpectationSpecification.Subject {
    public static func traffic(_ expectation: TrafficExpectation) -> Self { Self(expectation) }
}

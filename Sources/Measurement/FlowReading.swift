public import LabTime

/// What a `FlowMeter` has measured of one flow, on the monotonic clock.
public struct FlowReading: Hashable, Sendable {
    public var sent: Int
    public var received: Int
    public var lost: Int
    public var duplicated: Int
    public var reordered: Int
    /// The answer before the longest gap.
    public var longestGapStart: Instant?
    /// Timestamp-based; nil where fewer than two answers arrived and the flow survived, or none arrived at all.
    public var longestGap: Duration?
    /// The longest run of unanswered probes × the cadence.
    public var lossDerivedGap: Duration

    public init(
        sent: Int, received: Int, lost: Int, duplicated: Int, reordered: Int, longestGapStart: Instant?,
        longestGap: Duration?, lossDerivedGap: Duration
    ) {
        self.sent = sent
        self.received = received
        self.lost = lost
        self.duplicated = duplicated
        self.reordered = reordered
        self.longestGapStart = longestGapStart
        self.longestGap = longestGap
        self.lossDerivedGap = lossDerivedGap
    }

    /// The longest gap on the wall clock.
    public func gap(on clock: ClockReference) -> Gap? {
        guard let longestGapStart, let longestGap else { return nil }
        return Gap(start: clock.timestamp(of: longestGapStart), length: longestGap)
    }
}

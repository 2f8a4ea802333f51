public import LabTime

/// When probes are due: probe n at `start` + n × `every`, whatever happened to the probes before it.
///
/// A sender that was delayed sends everything that fell due meanwhile at once, and those probes count as late, so
/// that a busy machine shows as lateness and never as a quieter measurement.
public struct OpenLoopSchedule: Hashable, Sendable {
    public let start: Instant
    /// At least one microsecond: a shorter cadence is brought to it.
    public let every: Duration
    /// The number of the next probe.
    public private(set) var next: UInt64 = 0
    /// Probes taken more than half a cadence after they were due.
    public private(set) var late = 0

    public init(start: Instant, every: Duration) {
        self.start = start
        self.every = max(every, .microseconds(1))
    }

    public func due(_ number: UInt64) -> Instant {
        let (nanoseconds, overflow) = every.nanoseconds.multipliedReportingOverflow(by: Int64(clamping: number))
        return start + .nanoseconds(overflow ? .max / 4 : nanoseconds)
    }

    /// When the next probe is due.
    public var nextDue: Instant { due(next) }

    /// The number of a probe that is due at `now`, each once; nil when none is.
    public mutating func take(at now: Instant) -> UInt64? {
        let due = nextDue
        guard due <= now else { return nil }
        if now - due > every / 2 { late += 1 }
        defer { next += 1 }
        return next
    }
}

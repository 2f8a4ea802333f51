package import LabTime

/// When each of many flows asks: in every round each once, in the order of their numbers, evenly within `spread`.
package struct RoundSchedule: Hashable, Sendable {
    package let start: Instant
    let every: Duration
    let spread: Duration
    let flows: Int
    /// The next request, counted over all rounds.
    private var next: UInt64 = 0
    /// Requests taken more than half a round after they were due.
    package private(set) var late = 0

    package init(start: Instant, every: Duration, spread: Duration, flows: Int) {
        self.start = start
        self.every = max(every, .microseconds(1))
        self.spread = min(spread, self.every)
        self.flows = max(1, flows)
    }

    /// When a flow asks for the first time.
    package func firstDue(of flow: Int) -> Instant { start + spread * flow / flows }

    package var nextDue: Instant {
        let (round, flow) = next.quotientAndRemainder(dividingBy: UInt64(flows))
        return firstDue(of: Int(flow)) + every * Int(clamping: round)
    }

    /// Whether every flow has asked in this round, and the next round has not begun.
    package var isBetweenRounds: Bool { next > 0 && next.isMultiple(of: UInt64(flows)) }

    /// The flow that is due at `now`; nil where none is.
    package mutating func take(at now: Instant) -> Int? {
        let due = nextDue
        guard due <= now else { return nil }
        if now - due > every / 2 { late += 1 }
        defer { next += 1 }
        return Int(next % UInt64(flows))
    }
}

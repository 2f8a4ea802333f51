import LabTime

/// Passes over the flows that wait for an answer, between two rounds.
struct RetryPass: Hashable, Sendable {
    let every: Duration
    /// When a pass begins, or goes on; nil while a round is under way.
    private(set) var due: Instant?
    /// The flow with which it goes on.
    private var flow = 0

    init(every: Duration) { self.every = every }

    /// Flows have asked in their round.
    mutating func roundGoesOn(isOver: Bool, at now: Instant) { due = isOver ? now + every : nil }

    /// The next flow of a pass; nil where none is due, or the pass is over.
    mutating func next(of flows: Int, at now: Instant) -> Int? {
        guard let due, due <= now else { return nil }
        guard flow < flows else {
            flow = 0
            self.due = now + every
            return nil
        }
        defer { flow += 1 }
        return flow
    }
}

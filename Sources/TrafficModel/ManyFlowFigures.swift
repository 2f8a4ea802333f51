/// What many flows count together.
struct ManyFlowFigures: Hashable, Sendable {
    /// Requests that were due and not sent.
    private(set) var skipped = 0
    /// Why, of the last one.
    var reason: String?
    /// Datagrams that were no answer.
    var garbage = 0

    mutating func skip(_ reason: String, _ count: Int = 1) {
        skipped += count
        self.reason = reason
    }
}

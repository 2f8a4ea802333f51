/// How often the boxes of a pair speak on the cross-connect, and when silence counts as death.
public struct HeartbeatSettings: Hashable, Sendable {
    public var interval: Duration
    /// Heartbeats missed in a row after which the cross-connect counts as silent.
    public var misses: Int

    public init(interval: Duration, misses: Int) {
        precondition(interval > .zero && misses > 0)
        self.interval = interval
        self.misses = misses
    }

    /// Silence after which the cross-connect counts as dead.
    public var bound: Duration { interval * misses }

    /// How long, at least, a Backup whose peer's heartbeat stopped still waits for an advertisement; it also waits until
    /// the next regular one is overdue.
    ///
    /// An Active that misses its peer's heartbeat advertises at once. The two boxes notice the silence at most one
    /// interval apart; a quarter more is for the way and for a busy processor.
    public var grace: Duration { interval + interval / 4 }
}

public import LabTime

/// What is known of the peer from its heartbeats.
public struct HeartbeatMonitor: Hashable, Sendable {
    public enum Reception: Hashable, Sendable {
        /// The peer speaks for the first time, or again after silence.
        case appeared
        case continued
        /// A new life of the peer, which was not missed before.
        case restarted
        /// Overtaken by a later statement, or of an earlier life: to be ignored.
        case stale
    }

    public let settings: HeartbeatSettings
    /// The latest statement, also of a peer that is silent now.
    public private(set) var statement: PairStatement?
    /// Whether heartbeats arrive.
    public private(set) var isAlive = false
    /// When the latest statement came.
    public private(set) var lastReceived = Instant(nanoseconds: 0)
    private var silentAt = Instant(nanoseconds: 0)

    public init(_ settings: HeartbeatSettings) { self.settings = settings }

    /// When silence becomes death; nil while it is dead already.
    public var deadline: Instant? { isAlive ? silentAt : nil }

    /// - Parameter startsOver: the statement counts whatever its numbers are
    public mutating func receive(_ new: PairStatement, startsOver: Bool = false, at now: Instant) -> Reception {
        var restarted = false
        if startsOver {
            restarted = new.epoch != statement?.epoch
        } else if let known = statement {
            if new.epoch < known.epoch { return .stale }
            if new.epoch == known.epoch {
                guard new.sequence > known.sequence else { return .stale }
            } else {
                restarted = true
            }
        }
        let wasAlive = isAlive
        statement = new
        isAlive = true
        lastReceived = now
        silentAt = now + settings.bound
        return !wasAlive ? .appeared : restarted ? .restarted : .continued
    }

    /// - Returns: whether the peer's heartbeat has just been missed for the bound.
    public mutating func advance(to now: Instant) -> Bool {
        guard isAlive, silentAt <= now else { return false }
        isAlive = false
        return true
    }

    /// Gives heartbeats that may be waiting to be read a last chance; for a box that was itself late.
    public mutating func postpone(to instant: Instant) {
        if isAlive, silentAt < instant { silentAt = instant }
    }

    /// The cross-connect lost its carrier: nothing more will come.
    public mutating func lostCarrier(at now: Instant) {
        if isAlive { silentAt = now }
    }
}

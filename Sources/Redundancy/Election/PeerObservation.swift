import LabTime

/// What a box has received of its peer, on both paths.
@usableFromInline struct PeerObservation: Hashable, Sendable {
    /// nil where the pair has no cross-connect.
    @usableFromInline private(set) var monitor: HeartbeatMonitor?
    /// When this box last received an Active's advertisement as Backup; its start before that.
    var lastAdvertisementAt = Instant(nanoseconds: 0)
    /// An advertisement of priority 0 was received, and no Active since.
    var hasResigned = false
    /// A later incarnation than the one whose heartbeat is received may run: the last statement may be of one that is gone.
    private(set) var mayHaveRestarted = false
    /// Whether its silence was excused with this box's own lateness. Once only until it is received again, so that a
    /// box which is always late still notices a death.
    var isExcused = false

    /// A heartbeat that counts.
    struct Arrival: Hashable, Sendable {
        var reception: HeartbeatMonitor.Reception
        /// Of another incarnation than the one before; the first one that is ever received is none.
        var hasRestarted: Bool
        /// The same incarnation, after its silence.
        var isReturn: Bool
    }

    init(heartbeat: HeartbeatSettings?) { monitor = heartbeat.map { HeartbeatMonitor($0) } }

    @inlinable var isAlive: Bool { monitor?.isAlive ?? false }

    /// - Returns: nil where a later statement has overtaken it
    mutating func receive(_ statement: PairStatement, startsOver: Bool, at now: Instant) -> Arrival? {
        let known = monitor?.statement?.epoch
        guard let reception = monitor?.receive(statement, startsOver: startsOver, at: now), reception != .stale else {
            return nil
        }
        isExcused = false
        mayHaveRestarted = false
        return Arrival(
            reception: reception, hasRestarted: known.map { $0 != statement.epoch } ?? false,
            isReturn: reception == .appeared && known == statement.epoch)
    }

    /// Handles a hello: its sender has not received this box yet.
    mutating func receiveHello() { mayHaveRestarted = isAlive }

    /// Handles an advertisement that a Backup received.
    mutating func receive(_ advertisement: Advertisement, at now: Instant) {
        isExcused = false
        hasResigned = advertisement.priority == 0
        if !hasResigned { lastAdvertisementAt = now }
    }

    /// - Returns: whether its heartbeat has just been missed for the bound
    mutating func missesHeartbeat(at now: Instant) -> Bool { monitor?.advance(to: now) ?? false }

    /// The cross-connect lost its carrier.
    mutating func lostCarrier(at now: Instant) { monitor?.lostCarrier(at: now) }

    mutating func postponeSilence(to instant: Instant) { monitor?.postpone(to: instant) }
}

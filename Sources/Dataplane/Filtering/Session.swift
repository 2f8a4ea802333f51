public import LabTime

/// What a firewall remembers of a session beside its two five-tuples. No port and no MAC address is among it: each
/// packet takes the route and the neighbour of its moment, so a session fits both boxes of a pair.
public struct Session: BitwiseCopyable, Sendable {
    public var state: SessionState
    /// When the peer was last told, in nanoseconds of this box's clock.
    @usableFromInline var toldAt: Int64
    /// The bulk transfer that mentioned this session last; see `SessionFilter.beginBulk`.
    var generation: UInt32
    /// Waits in the queue of changes for the peer.
    @usableFromInline var isQueued: Bool
    /// The peer has, or will have, a copy.
    @usableFromInline var isTold: Bool

    @inlinable
    init(state: SessionState) {
        self.state = state
        toldAt = .min
        generation = 0
        isQueued = false
        isTold = false
    }
}

/// What a firewall remembers of a session beside its two five-tuples. No port and no MAC address is among it: each
/// packet takes the route and the neighbour of its moment, so a session fits both boxes of a pair.
public struct Session: BitwiseCopyable, Sendable {
    public var state: SessionState
    /// The rule that let it through.
    public var rule: RuleIdentity
    /// When the peer was last told, in nanoseconds of this box's clock.
    var toldAt: Int64
    /// The bulk transfer that mentioned this session last; see `beginReceivingBulk`.
    var generation: UInt32
    /// The round of `SessionChanges` in which it waits there; 0 where it does not wait.
    var queuedInRound: UInt32

    init(state: SessionState, rule: RuleIdentity = .none) {
        self.state = state
        self.rule = rule
        toldAt = .min
        generation = 0
        queuedInRound = 0
    }
}

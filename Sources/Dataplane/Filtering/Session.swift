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
    /// Whether packets leave with other addresses or ports than they came with; the table's two five-tuples say which.
    public internal(set) var isTranslated = false
    /// Its packets do not get through: the inside host that they are for has sent nothing to their sender yet. The
    /// session only says that this side has.
    var isBlocked = false
    /// The mapping that its source stands behind.
    var source = NATBindingIndex.none
    /// The mapping that its destination stands behind: opened from outside, or hairpinned.
    var destination = NATBindingIndex.none

    init(state: SessionState, rule: RuleIdentity = .none) {
        self.state = state
        self.rule = rule
        toldAt = .min
        generation = 0
        queuedInRound = 0
    }
}

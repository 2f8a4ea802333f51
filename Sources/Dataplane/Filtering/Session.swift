/// What a firewall remembers of a session beside its two five-tuples. No port and no MAC address is among it: each
/// packet takes the route and the neighbour of its moment, so a session fits both boxes of a pair.
public struct Session: BitwiseCopyable, Sendable {
    public var state: SessionState
    /// What its first payload was; `unseen` until then.
    public internal(set) var application = Application.unseen
    /// What the peer is to be told when this session's turn comes.
    var dirtyParts: DirtyParts = []
    /// Number of the name's category, from 1; 0 for none.
    public internal(set) var category: UInt16 = 0
    /// The rule that let it through.
    public var rule: RuleIdentity
    /// When the peer was last told, in nanoseconds of this box's clock.
    var toldAt: Int64 = .min
    /// The bulk transfer that mentioned this session last; see `beginReceivingBulk`.
    var generation: UInt32 = 0
    /// The round of `SessionChanges` in which it waits there; 0 where it does not wait.
    var queuedInRound: UInt32 = 0
    /// The low bits of the number of the message that told the peer last; 0 where none has.
    var toldIn: UInt32 = 0
    /// The round of `SessionFilter.deferRound` in which its packets wait for the peer; 0 where they do not.
    var awaitedInRound: UInt32 = 0
    /// Whether packets leave with other addresses or ports than they came with; the table's two five-tuples say which.
    public internal(set) var isTranslated = false
    /// A control connection that an application gateway reads.
    var isControl = false
    /// Opened by another session's announcement.
    public internal(set) var isExpected = false
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
    }

    struct DirtyParts: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        static let state = DirtyParts(rawValue: 1)
        static let metadata = DirtyParts(rawValue: 2)
        static let pinhole = DirtyParts(rawValue: 4)
    }
}

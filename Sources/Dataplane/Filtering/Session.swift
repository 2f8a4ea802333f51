/// What a firewall remembers of a session beside its two five-tuples. No port and no MAC address is among it: each
/// packet takes the route and the neighbour of its moment, so a session fits both boxes of a pair. What its replication
/// needs stands beside the table, in a place of the same number.
public struct Session: BitwiseCopyable, Sendable {
    public internal(set) var state: SessionState
    /// What its first payload was; `unseen` until then.
    public internal(set) var application = Application.unseen
    /// Number of the name's category, from 1; 0 for none.
    public internal(set) var category: UInt16 = 0
    /// The rule that let it through.
    public internal(set) var rule: RuleIdentity
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
}

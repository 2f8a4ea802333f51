/// What a firewall remembers of a session beside its two five-tuples. No port and no MAC address is among it: each
/// packet takes the route and the neighbour of its moment, so a session fits both boxes of a pair. What its replication
/// needs stands beside the table, in a place of the same number.
public struct Session: BitwiseCopyable, Sendable {
    @usableFromInline package internal(set) var state: SessionState
    /// What its first payload was; `unseen` until then.
    @usableFromInline package internal(set) var application = Application.unseen
    /// Number of the name's category, from 1; 0 for none.
    @usableFromInline package internal(set) var category: UInt16 = 0
    /// The rule that let it through.
    @usableFromInline package internal(set) var rule: RuleIdentity
    /// Whether packets leave with other addresses or ports than they came with; the table's two five-tuples say which.
    @usableFromInline package internal(set) var isTranslated = false
    /// A control connection that an application gateway reads.
    @usableFromInline var isControl = false
    /// Opened by another session's announcement.
    @usableFromInline package internal(set) var isExpected = false
    /// Its packets do not get through: the inside host that they are for has sent nothing to their sender yet. The
    /// session only says that this side has.
    @usableFromInline var isBlocked = false
    /// The mapping that its source stands behind.
    @usableFromInline var source = NATBindingIndex.none
    /// The mapping that its destination stands behind: opened from outside, or hairpinned.
    @usableFromInline var destination = NATBindingIndex.none

    @inlinable
    init(state: SessionState, rule: RuleIdentity = .none) {
        self.state = state
        self.rule = rule
    }
}

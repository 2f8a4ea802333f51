/// The rules on which a pair's promises rest, each by its name.
///
/// A box follows all of them. Simulations suspend one at a time to see that its breach is noticed; a lab suspends only
/// `waitsForSessions`, to show what it is good for.
public struct PairRules: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An Active that meets one with a better claim becomes Backup.
    public static let yieldsToBetterClaim = PairRules(rawValue: 1 << 0)
    /// A box preempts only when it has every session of the pair.
    public static let waitsForSessions = PairRules(rawValue: 1 << 1)
    /// While the peer's heartbeat is heard, silent advertisements take the role from nobody.
    public static let trustsHeartbeat = PairRules(rawValue: 1 << 2)
    /// A box that hands over forwards nothing from then on.
    public static let stopsBeforeHandingOver = PairRules(rawValue: 1 << 3)
    /// A role that was handed over and not taken is taken back.
    public static let takesBack = PairRules(rawValue: 1 << 4)
    /// A silent peer is declared dead.
    public static let noticesDeath = PairRules(rawValue: 1 << 5)
    /// A message is sent again until it is acknowledged.
    public static let resends = PairRules(rawValue: 1 << 6)
    /// Only what was consumed is acknowledged.
    public static let acknowledgesWhatItConsumed = PairRules(rawValue: 1 << 7)
    /// Messages for another life of a box are refused.
    public static let refusesOtherEpochs = PairRules(rawValue: 1 << 8)
    /// A peer that appears is told of every session.
    public static let tellsEverything = PairRules(rawValue: 1 << 9)
    /// A box that takes over first applies what it was sent.
    public static let commitsFirst = PairRules(rawValue: 1 << 10)
    /// The Active notes every new session for its peer.
    public static let notesSessions = PairRules(rawValue: 1 << 11)

    /// An Active that lost a link leaves the role to a peer that has more of them and every session.
    public static let leavesWithLinks = PairRules(rawValue: 1 << 12)

    public static let all = PairRules(rawValue: (1 << 13) - 1)
}

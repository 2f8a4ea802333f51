/// Which life of the peer its messages are taken from, by what they claim.
///
/// With a key every message is the peer's, and its latest life counts at once. Without one anybody on the cross-connect
/// can claim a life, so a claim must not silence the one that is heard:
///
/// | claims | while the known life is heard | while it is silent |
/// |---|---|---|
/// | the known life | counts, if its number is near | counts; an old number when it comes in a row |
/// | a later life | is answered, and does not count | is the known one from now on |
/// | an earlier life | is refused | is the known one when it comes in a row |
///
/// So a peer that starts anew is followed when its former life has fallen silent, and what somebody else sent in
/// between costs a silence, not the peer. Whoever goes on sending can still keep a pair without a key apart.
@usableFromInline
struct PeerEpochs: Sendable {
    enum Verdict: Hashable, Sendable {
        /// - Parameter startsOver: whatever was numbered higher before was not the peer's
        case known(startsOver: Bool)
        /// It was not known before.
        case new(startsOver: Bool)
        /// Somebody claims a later life, while the known one is heard.
        case unconfirmed
        case refused
    }

    /// Heartbeats that must claim the same in a row, each numbered higher than the one before.
    private static var row: Int { 3 }
    /// Between two heartbeats that arrive, no peer sends so many.
    private static var mostSkipped: UInt64 { 1 << 16 }

    let isAuthenticated: Bool
    /// 0 before any was heard.
    private(set) var known: UInt64 = 0
    private var sequence: UInt64 = 0
    private var claim: (epoch: UInt64, sequence: UInt64, count: Int) = (0, 0, 0)

    init(isAuthenticated: Bool) { self.isAuthenticated = isAuthenticated }

    /// - Parameter isPeerAlive: whether the known epoch's heartbeat is not overdue
    mutating func receive(_ epoch: UInt64, sequence new: UInt64, isPeerAlive: Bool) -> Verdict {
        if isAuthenticated {
            guard epoch >= known else { return .refused }
            defer { known = epoch }
            return epoch > known ? .new(startsOver: false) : .known(startsOver: false)
        }
        if epoch == known {
            let isNext = new > sequence && (!isPeerAlive || new - sequence <= Self.mostSkipped)
            if isNext || isPeerAlive && new <= sequence {
                if isNext { follow(epoch, new) }
                return .known(startsOver: false)
            }
            // Far ahead of the one that is heard, or behind one that is not heard any more.
            guard !isPeerAlive, isInRow(epoch, new) else { return .refused }
            follow(epoch, new)
            return .known(startsOver: true)
        }
        if epoch > known {
            guard !isPeerAlive else { return .unconfirmed }
            follow(epoch, new)
            return .new(startsOver: false)
        }
        guard !isPeerAlive, isInRow(epoch, new) else { return .refused }
        follow(epoch, new)
        return .new(startsOver: true)
    }

    private mutating func follow(_ epoch: UInt64, _ new: UInt64) {
        (known, sequence) = (epoch, new)
        claim = (0, 0, 0)
    }

    private mutating func isInRow(_ epoch: UInt64, _ new: UInt64) -> Bool {
        if claim.epoch == epoch, new > claim.sequence {
            claim.count += 1
        } else {
            claim.count = 1
        }
        (claim.epoch, claim.sequence) = (epoch, new)
        return claim.count >= Self.row
    }
}

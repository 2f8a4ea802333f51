import LabTime

extension Election {
    /// What the box does, with what has a meaning only there.
    ///
    /// | phase | role | left when |
    /// |---|---|---|
    /// | `stopped` | initialize | the box starts |
    /// | `starting` | backup | the peer is received, cannot be there or cannot be understood; the time is over |
    /// | `backup` | backup | the peer's heartbeat stops; the role is vacant and this box has the better claim |
    /// | `grace` | backup | the peer is received on either path, or is dead |
    /// | `handingOver` | backup | the peer is Active, or does not become it in time |
    /// | `active` | active | the role is handed over, or a better claim is received |
    /// | `dualActive` | active | the same, or the rival yields or is silent |
    enum Phase: Hashable, Sendable {
        /// Nothing is sent, and nothing that is received counts.
        case stopped
        /// The startup silent period: nothing was received of a peer that may still be starting.
        case starting(Standby, until: Instant)
        /// The peer is received on the cross-connect, or the Active-down timers run.
        case backup(Standby)
        /// The peer's heartbeat is missing, and an advertisement may still prove that it is alive.
        case grace(Standby, until: Instant)
        /// The box has left the role to its peer, which has not confirmed.
        case handingOver(Standby, until: Instant)
        case active(ActiveTerm)
        /// Another Active was received: one of the two is to yield.
        case dualActive(ActiveTerm, DualActiveRecord)
    }

    /// A Backup, whatever it waits for.
    struct Standby: Hashable, Sendable {
        /// Since when the box has this role.
        var since: Instant
        /// A requested switchover took the role from this box and suspends its preemption. It ends when the peer fails
        /// or another request brings the role back.
        var yields = false
        /// The box asks an Active of lower priority to hand over.
        var requestsRole = false
    }

    /// A term as Active.
    struct ActiveTerm: Hashable, Sendable {
        var since: Instant
        /// Began because no path showed an Active: whoever is one beside this box has been so since then at most.
        var beganInSilence: Bool
        /// When an Active that misses its peer's heartbeat advertises once more, to prove that it is alive.
        var alarmAt: Instant?
        /// The peer is being sent every session, and has not acknowledged them all.
        var isResyncing = false
    }

    /// Two Actives at once.
    struct DualActiveRecord: Hashable, Sendable {
        /// Since when there were two, as far as is known.
        var since: Instant
        /// When the rival was received last, by an advertisement or a heartbeat.
        var lastRivalAt: Instant
        /// When this box last announced its addresses against a rival of lesser claim that it received.
        var announcedAt: Instant?
    }
}

extension Election.Phase {
    var role: VirtualRouter.State {
        switch self {
        case .stopped: .initialize
        case .starting, .backup, .grace, .handingOver: .backup
        case .active, .dualActive: .active
        }
    }

    /// What a Backup carries through its phases; nil for others. Setting it leaves the phase.
    var standby: Election.Standby? {
        get {
            switch self {
            case .starting(let standby, _), .backup(let standby), .grace(let standby, _),
                .handingOver(let standby, _):
                standby
            case .stopped, .active, .dualActive: nil
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .starting(_, let until): self = .starting(newValue, until: until)
            case .backup: self = .backup(newValue)
            case .grace(_, let until): self = .grace(newValue, until: until)
            case .handingOver(_, let until): self = .handingOver(newValue, until: until)
            case .stopped, .active, .dualActive: return
            }
        }
    }

    /// What an Active carries, one of two or not; nil for others. Setting it leaves the phase.
    var term: Election.ActiveTerm? {
        get {
            switch self {
            case .active(let term), .dualActive(let term, _): term
            case .stopped, .starting, .backup, .grace, .handingOver: nil
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .active: self = .active(newValue)
            case .dualActive(_, let record): self = .dualActive(newValue, record)
            case .stopped, .starting, .backup, .grace, .handingOver: return
            }
        }
    }

    var dualActive: Election.DualActiveRecord? {
        if case .dualActive(_, let record) = self { record } else { nil }
    }

    /// Since when the box has its role.
    var since: Instant? { standby?.since ?? term?.since }
}

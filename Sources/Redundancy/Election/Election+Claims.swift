import Mutants
import Wire

/// Who of the two is to be Active.
extension Election {
    /// For a role that nobody has: who knows the sessions, then who does not yield, then priority. Sessions come first,
    /// because the one that the role was given to may have lost them in a restart that nobody noticed.
    func hasBetterClaim(than statement: PairStatement) -> Bool {
        guard routers.hasAnyPort else { return false }
        let peerKnows = statement.flags.contains(.knowsSessions)
        if hasSessions != peerKnows { return hasSessions }
        let peerYields = statement.flags.contains(.yields)
        if yields != peerYields { return peerYields }
        return outranks(statement)
    }

    /// Between two Actives: the rule of RFC 9568.
    func outranks(_ statement: PairStatement) -> Bool {
        if Mutant.isOn(.ignoresPriority) { return settings.ownAddress.rawValue > settings.peerAddress.rawValue }
        return (effectivePriority, settings.ownAddress.rawValue) > (statement.priority, settings.peerAddress.rawValue)
    }

    /// A box whose pair synchronises sessions takes the role back only after it has received them.
    var mayPreempt: Bool {
        settings.preempts && !yields
            && (knowsSessions || settings.heartbeat == nil || !settings.rules.contains(.waitsForSessions))
    }

    /// Whether a box with a lost link is to leave the role to its peer.
    func mayLeave(to statement: PairStatement) -> Bool {
        settings.rules.contains(.leavesWithLinks) && routers.hasLostLink && statement.priority > effectivePriority
            && wouldKeepSessions(statement)
    }

    /// Whether the pair's sessions survive if this Active leaves the role to its peer. What the peer states is not
    /// enough: it may be about sessions of the peer's own term, while this box's are still under way; or from an
    /// incarnation that is gone.
    func wouldKeepSessions(_ statement: PairStatement) -> Bool {
        guard settings.rules.contains(.waitsForSessions) else { return true }
        return statement.flags.contains(.knowsSessions) && !isResyncing && !peer.mayHaveRestarted
    }

    /// Whether the peer still has to receive this Active's sessions.
    var isResyncing: Bool { settings.rules.contains(.waitsForSessions) && phase.term?.isResyncing == true }

    /// Whether the peer has sessions and this box has none: then the role waits for the peer, however it resigned, as
    /// long as its heartbeat is received.
    var waitsForPeersSessions: Bool {
        guard settings.rules.contains(.waitsForSessions), receivesHeartbeat, let statement = peer.monitor?.statement
        else { return false }
        return !hasSessions && statement.flags.contains(.knowsSessions)
    }

    private var yields: Bool { phase.standby?.yields ?? false }
}

import LabEvents
public import LabTime
import Mutants
import Wire

extension Election {
    /// The peer does not know this life of the box yet: say at once which it is.
    ///
    /// The next regular heartbeat is not put off: whoever sends hellos without end would silence this box.
    public mutating func receiveHello(at now: Instant) {
        guard role != .initialize else { return }
        let regular = heartbeatAt
        sendHeartbeat(at: now)
        if let regular { heartbeatAt = regular }
    }

    /// Handles a heartbeat of the peer.
    /// - Parameter startsOver: it counts whatever the peer seemed to have said before
    /// - Returns: false where it was overtaken by a later one and changed nothing.
    @discardableResult
    public mutating func receive(_ statement: PairStatement, startsOver: Bool = false, at now: Instant) -> Bool {
        guard role != .initialize, let reception = monitor?.receive(statement, startsOver: startsOver, at: now),
            reception != .stale
        else {
            return false
        }
        graceEnds = nil
        silentUntil = nil
        forgaveLateness = false
        let restarted = reception == .restarted || reception == .appeared && statement.epoch != peerEpoch
        if reception != .continued {
            act(.peerAppeared(restarted: restarted && peerEpoch != nil))
            report(.peerUp, [.reason: reception == .restarted ? "the peer started anew" : "heartbeat heard"])
        }
        if restarted {
            // A request that made this box stand back ends with the peer that the role was given to.
            if peerEpoch != nil {
                yields = false
                handoverEnds = nil
            }
            peerEpoch = statement.epoch
        }
        if reception == .appeared { sendHeartbeat(at: now) }
        switch (role, statement.role) {
        case (.active, .active): meetsActive(statement, at: now)
        case (.active, _): activeReceives(statement, at: now)
        case (_, .active): backupReceives(statement, at: now)
        default: fillVacancy(statement, restarted: reception == .restarted, at: now)
        }
        return true
    }

    /// Both are Active: the rule of RFC 9568 decides, and the winner tells everybody again.
    private mutating func meetsActive(_ statement: PairStatement, at now: Instant) {
        let isNew = dualActiveSince == nil
        lastRivalAt = now
        // The two have been two since the later one of them became Active.
        let since = now - min(now - roleSince, statement.roleAge)
        dualActiveSince = min(since, dualActiveSince ?? since)
        if isNew {
            report(.dualActive, [.reason: "the peer's heartbeat says that it is Active too"])
        }
        if outranks(statement) {
            if isNew {
                advertiseAll(at: now)
                sendHeartbeat(at: now)
            }
        } else if settings.rules.contains(.yieldsToBetterClaim) {
            becomeBackup(at: now, because: "the peer is Active too and has the better claim")
        }
    }

    private mutating func activeReceives(_ statement: PairStatement, at now: Instant) {
        if dualActiveSince != nil {
            endDualActive(at: now, because: "the peer yielded")
            // The rival announced itself last; switches and neighbours must hear the winner once more.
            act(.announceAddresses)
            advertiseAll(at: now)
        }
        if statement.flags.contains(.handsOver) { sendHeartbeat(at: now) }
        if statement.flags.contains(.requestsRole), statement.priority > effectivePriority {
            report(.switchover, [.reason: "the peer has the higher priority and preempts"])
            handOver(at: now, because: "handed over to the peer, which has the higher priority")
        } else if mayLeave(to: statement) {
            report(.switchover, [.reason: "the peer has a link that is lost here"])
            handOver(at: now, because: "handed over to the peer, which has a link that is lost here")
        }
    }

    private mutating func backupReceives(_ statement: PairStatement, at now: Instant) {
        handoverEnds = nil
        peerResigned = false
        if settings.rules.contains(.trustsHeartbeat) {
            for index in routers.indices { routers[index].restartActiveDownTimer(at: now) }
        }
        settle(because: "the peer is Active")
        considerPreempting(at: now)
    }

    /// Asks a peer of lower priority for the role, once this box may have it.
    mutating func considerPreempting(at now: Instant) {
        guard role == .backup, let peer = monitor?.statement, receivesHeartbeat else { return }
        let wants = peer.role == .active && mayPreempt && effectivePriority > peer.priority
        guard wants != requestsRole else { return }
        requestsRole = wants
        if wants { sendHeartbeat(at: now) }
    }

    /// Neither is Active.
    private mutating func fillVacancy(_ statement: PairStatement, restarted: Bool, at now: Instant) {
        // Left to a box that had the sessions: one that lost them since is not meant.
        let isMeant =
            knowsSessions || !statement.flags.contains(.knowsSessions) || !settings.rules.contains(.waitsForSessions)
        if statement.flags.contains(.handsOver), handoverEnds == nil, isMeant {
            becomeActive(at: now, because: "the peer handed over")
        } else if handoverEnds != nil {
            // The peer has not heard of the handover yet; `advance` repeats it and ends the wait.
            return
        } else if hasBetterClaim(than: statement) {
            becomeActive(
                at: now,
                because: restarted
                    ? "the peer started anew" : "the peer is heard and has the lesser claim")
        }
    }

    /// For a role that nobody has: who knows the sessions, then who was not asked to stand back, then priority. Sessions
    /// come first, because the one that the role was given to may have lost them in a restart that nobody noticed.
    func hasBetterClaim(than statement: PairStatement) -> Bool {
        guard isUp.contains(true) else { return false }
        let peerKnows = statement.flags.contains(.knowsSessions)
        if knowsSessions != peerKnows { return knowsSessions }
        let peerYields = statement.flags.contains(.yields)
        if yields != peerYields { return peerYields }
        return outranks(statement)
    }

    private func outranks(_ statement: PairStatement) -> Bool {
        if Mutant.isOn(.ignoresPriority) { return settings.ownAddress.rawValue > settings.peerAddress.rawValue }
        return (effectivePriority, settings.ownAddress.rawValue) > (statement.priority, settings.peerAddress.rawValue)
    }

    /// A box whose pair synchronises sessions takes the role back only after it has received them.
    var mayPreempt: Bool {
        settings.preempts && !yields
            && (knowsSessions || settings.heartbeat == nil || !settings.rules.contains(.waitsForSessions))
    }
}

import LabEvents
import LabTime

/// What a Backup receives.
extension Election {
    /// - Returns: false where the port of the virtual router has no carrier
    mutating func standbyReceives(_ advertisement: Advertisement, on index: Int, at now: Instant) -> Bool {
        // While heartbeats are received a preempting box asks for the role instead of outwaiting the Active.
        let preempts = mayPreempt && !receivesHeartbeat
        guard routers.receive(advertisement, on: index, preempts: preempts, at: now) != nil else { return false }
        peer.receive(advertisement, at: now)
        return true
    }

    mutating func settle(on advertisement: Advertisement) {
        settle(because: "an Active of priority \(advertisement.priority) is heard")
    }

    /// A heartbeat ends every wait but that for a successor.
    mutating func standbyReceives(
        _ statement: PairStatement, startsOver: Bool, _ standby: Standby, at now: Instant
    ) -> Reply {
        guard let arrival = peer.receive(statement, startsOver: startsOver, at: now) else { return .ignored }
        var standby = standby
        // A request that made this box yield ends with the peer that the role was given to.
        if arrival.hasRestarted { standby.yields = false }
        if isHandingOver, !arrival.hasRestarted {
            update(standby)
        } else {
            enter(.backup(standby), at: now, because: "a heartbeat is received")
        }
        acknowledge(arrival, at: now)
        if statement.role == .active {
            if let standby = phase.standby { enter(.backup(standby), at: now, because: "the peer is Active") }
            followActive(at: now)
        } else {
            fillVacancy(statement, restarted: arrival.reception == .restarted, at: now)
        }
        return .done
    }

    private mutating func followActive(at now: Instant) {
        peer.hasResigned = false
        if settings.rules.contains(.trustsHeartbeat) { routers.restartActiveDownTimers(at: now) }
        settle(because: "the peer is Active")
        considerPreempting(at: now)
    }

    /// Neither is Active.
    private mutating func fillVacancy(_ statement: PairStatement, restarted: Bool, at now: Instant) {
        // The peer has not received the handover yet; the next heartbeat repeats it, and the timer ends the wait.
        if isHandingOver { return }
        // Left to a box that had the sessions: one that lost them since is not meant.
        let isMeant =
            hasSessions || !statement.flags.contains(.knowsSessions) || !settings.rules.contains(.waitsForSessions)
        if statement.flags.contains(.handsOver), isMeant {
            becomeActive(at: now, because: "the peer handed over")
        } else if hasBetterClaim(than: statement) {
            becomeActive(
                at: now, because: restarted ? "the peer started anew" : "the peer is heard and has the lesser claim")
        }
    }

    /// Asks a peer of lower priority for the role, once this box may have it.
    mutating func considerPreempting(at now: Instant) {
        guard var standby = phase.standby, receivesHeartbeat, let statement = peer.monitor?.statement else { return }
        let wants = statement.role == .active && mayPreempt && effectivePriority > statement.priority
        guard wants != standby.requestsRole else { return }
        standby.requestsRole = wants
        update(standby)
        if wants { sendHeartbeat(at: now) }
    }
}

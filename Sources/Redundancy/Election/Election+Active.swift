import LabEvents
import LabTime

/// The phases of an Active. What they have in common is in `stepTerm`.
extension Election {
    mutating func stepActive(_ input: Input, _ term: ActiveTerm, at now: Instant) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            return activeReceives(advertisement, on: router, term, nil, at: now)
        case .statement(let statement, let startsOver):
            guard let arrival = peer.receive(statement, startsOver: startsOver, at: now) else { return .ignored }
            acknowledge(arrival, at: now)
            if statement.role == .active {
                meetActive(statement, arrival, term, nil, at: now)
            } else {
                // It was Active in this term, unheard, and announced itself last.
                if arrival.isReturn, now - statement.roleAge > term.since { act(.announceAddresses) }
                considerLeaving(to: statement, arrival, at: now)
            }
            return .done
        case .due(.rivalSilence):
            return .ignored
        case .start, .shutDown, .hello, .foreignPeer, .sessionsComplete, .resync, .switchoverRequest, .routerCarrier,
            .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepTerm(input, term, at: now)
        }
    }

    mutating func stepDualActive(
        _ input: Input, _ term: ActiveTerm, _ record: DualActiveRecord, at now: Instant
    ) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            return activeReceives(advertisement, on: router, term, record, at: now)
        case .statement(let statement, let startsOver):
            guard let arrival = peer.receive(statement, startsOver: startsOver, at: now) else { return .ignored }
            acknowledge(arrival, at: now)
            guard statement.role != .active else {
                meetActive(statement, arrival, term, record, at: now)
                return .done
            }
            enter(.active(term), at: now, because: "the peer yielded")
            // The rival announced itself last; switches and neighbours must receive the winner's once more.
            act(.announceAddresses)
            advertiseAll(at: now)
            considerLeaving(to: statement, arrival, at: now)
            return .done
        case .due(.rivalSilence):
            enter(.active(term), at: now, because: "the rival is silent")
            // It has yielded, or is not heard: the last announcement is to be the winner's.
            act(.announceAddresses)
            return .done
        case .start, .shutDown, .hello, .foreignPeer, .sessionsComplete, .resync, .switchoverRequest, .routerCarrier,
            .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepTerm(input, term, at: now)
        }
    }

    /// What every Active does.
    private mutating func stepTerm(_ input: Input, _ term: ActiveTerm, at now: Instant) -> Reply {
        switch input {
        case .hello:
            answerHello(at: now)
        case .switchoverRequest:
            return switchOver(at: now)
        case .routerCarrier(let router, let port, let isUp):
            guard routers.setCarrier(of: router, isUp: isUp) else { return .ignored }
            guard isUp else {
                loseLink(port, at: now)
                return .done
            }
            act(.announceAddresses)
            advertiseAll(at: now)
            sendHeartbeat(at: now)
        case .trackedLink(let index, let isUp):
            return routers.setTrackedLink(index, isUp: isUp) ? .done : .ignored
        case .trackedLinkChanged(let port, let isUp):
            routers.updatePriorities()
            guard isUp else {
                loseLink(port, at: now)
                return .done
            }
            advertiseAll(at: now)
            sendHeartbeat(at: now)
        case .crossConnectCarrier(isUp: true), .due(.heartbeat):
            sendHeartbeat(at: now)
        case .crossConnectCarrier(isUp: false):
            loseCrossConnect(at: now)
        case .due(.peerSilence):
            guard let heartbeat = settings.heartbeat, peer.missesHeartbeat(at: now) else { return .ignored }
            act(.peerLost)
            report(.peerDown, [.reason: "\(heartbeat.misses) heartbeats missed"])
            // The peer misses our heartbeat too if only the cross-connect is cut: prove that we are alive.
            advertiseAll(at: now)
            // Again one interval later: the peer may notice the silence after the first has arrived.
            setAlarm(now + heartbeat.interval, term)
        case .due(.alarm):
            guard term.alarmAt != nil else { return .ignored }
            setAlarm(nil, term)
            advertiseAll(at: now)
        case .due(.routers):
            advanceRouters(to: now)
        case .shutDown:
            handOver(at: now, because: "shut down")
            routers.shutDown()
            enter(.stopped, at: now, because: "shut down")
        case .sessionsComplete:
            // An Active knows them, but those of a rival that it did not receive.
            guard sessions != .pair else { return .ignored }
            sessions = .pair
        case .resync(let isUnderWay):
            guard term.isResyncing != isUnderWay else { return .ignored }
            var term = term
            term.isResyncing = isUnderWay
            update(term)
            if !isUnderWay { considerLeaving(at: now) }
        case .start, .foreignPeer:
            return .ignored
        case .due(.handover), .due(.grace), .due(.silentPeriod):
            // A Backup's.
            return .ignored
        case .advertisement, .statement, .due(.rivalSilence):
            // The phase itself handles it.
            return .ignored
        }
        return .done
    }

    private mutating func setAlarm(_ instant: Instant?, _ term: ActiveTerm) {
        var term = term
        term.alarmAt = instant
        update(term)
    }

    // MARK: Rivals

    private mutating func activeReceives(
        _ advertisement: Advertisement, on index: Int, _ term: ActiveTerm, _ record: DualActiveRecord?, at now: Instant
    ) -> Reply {
        guard let verdict = routers.receive(advertisement, on: index, preempts: mayPreempt, at: now) else {
            return .ignored
        }
        switch verdict {
        case .nothing, .takeOver:
            return .ignored
        case .advertise:
            if advertisement.priority != 0, !receivesHeartbeat {
                noticeRival(advertisement, term, record, outranked: true, at: now)
            }
            advertise(index, at: now)
        case .yield:
            // The heartbeat's statement is newer than an advertisement that was on its way when the roles changed.
            if receivesHeartbeat, peer.monitor?.statement?.role != .active {
                overruled &+= 1
                return .done
            }
            guard settings.rules.contains(.yieldsToBetterClaim) else { return .done }
            noticeRival(advertisement, term, record, outranked: false, at: now)
            becomeBackup(
                at: now, because: "an advertisement of priority \(advertisement.priority) from \(advertisement.source)")
        }
        return .done
    }

    /// - Parameter outranked: it has the lesser claim. The winner announces its addresses for as long as it receives
    ///   such a rival, once a second; a box that yields never does, or its announcement would be the last.
    private mutating func noticeRival(
        _ advertisement: Advertisement, _ term: ActiveTerm, _ record: DualActiveRecord?, outranked: Bool,
        at now: Instant
    ) {
        let reason = "an advertisement of priority \(advertisement.priority) from \(advertisement.source)"
        // An advertisement does not state since when its sender is Active.
        let since = record?.since ?? (term.beganInSilence ? term.since : now)
        let isDue = record?.announcedAt.map { now - $0 >= Self.announcementPause } ?? true
        let announces = outranked && isDue
        let announcedAt = announces ? now : record?.announcedAt
        enter(
            .dualActive(term, DualActiveRecord(since: since, lastRivalAt: now, announcedAt: announcedAt)), at: now,
            because: reason)
        if record == nil { report(.dualActive, [.reason: reason]) }
        if announces { act(.announceAddresses) }
    }

    /// Between announcements against one rival: a burst of them is over.
    private static let announcementPause = Duration.seconds(1)

    /// Both are Active: the rule of RFC 9568 decides, and the winner sends to everybody again.
    private mutating func meetActive(
        _ statement: PairStatement, _ arrival: PeerObservation.Arrival, _ term: ActiveTerm,
        _ record: DualActiveRecord?, at now: Instant
    ) {
        // Each has sessions that the other one never received. Both begin to send them now.
        if arrival.reception != .continued { sessions = .own }
        // The two have been two since the later one of them became Active.
        let both = now - min(now - term.since, statement.roleAge)
        let since = min(both, record?.since ?? both)
        let reason = "the peer's heartbeat says that it is Active too"
        let met = DualActiveRecord(since: since, lastRivalAt: now, announcedAt: record?.announcedAt)
        enter(.dualActive(term, met), at: now, because: reason)
        if record == nil { report(.dualActive, [.reason: reason]) }
        if outranks(statement) {
            guard record == nil else { return }
            advertiseAll(at: now)
            sendHeartbeat(at: now)
        } else if settings.rules.contains(.yieldsToBetterClaim) {
            becomeBackup(at: now, because: "the peer is Active too and has the better claim")
        }
    }

    // MARK: Leaving the role

    /// The peer's heartbeat arrived.
    private mutating func considerLeaving(
        to statement: PairStatement, _ arrival: PeerObservation.Arrival, at now: Instant
    ) {
        if statement.flags.contains(.handsOver) { sendHeartbeat(at: now) }
        // A peer that appears is first sent the sessions.
        if arrival.reception != .continued, settings.rules.contains(.waitsForSessions) { return }
        considerLeaving(to: statement, at: now)
    }

    /// The peer has acknowledged the sessions.
    private mutating func considerLeaving(at now: Instant) {
        guard receivesHeartbeat, let statement = peer.monitor?.statement, statement.role != .active else { return }
        considerLeaving(to: statement, at: now)
    }

    /// The peer, which is not Active, may want the role, or be the better one to have it.
    private mutating func considerLeaving(to statement: PairStatement, at now: Instant) {
        if isResyncing { return }
        if statement.flags.contains(.requestsRole), statement.priority > effectivePriority {
            report(.switchover, [.reason: "the peer has the higher priority and preempts"])
            handOver(at: now, because: "handed over to the peer, which has the higher priority")
        } else if mayLeave(to: statement) {
            report(.switchover, [.reason: "the peer has a link that is lost here"])
            handOver(at: now, because: "handed over to the peer, which has a link that is lost here")
        }
    }

    private mutating func switchOver(at now: Instant) -> Reply {
        guard peer.monitor == nil || receivesHeartbeat else { return .refused(.peerSilent) }
        if let statement = peer.monitor?.statement, !wouldKeepSessions(statement) {
            return .refused(.peerWithoutSessions)
        }
        report(.switchover, [.reason: "requested"])
        handOver(yields: true, at: now, because: "handed over on request")
        return .done
    }

    /// A link is gone, and with it perhaps the better claim.
    private mutating func loseLink(_ name: String, at now: Instant) {
        if receivesHeartbeat, let statement = peer.monitor?.statement, mayLeave(to: statement) {
            report(.switchover, [.reason: "carrier lost on \(name)"])
            handOver(at: now, because: "carrier lost on \(name)")
        } else {
            // The lowered priority lets a healthy preempting peer take over through VRRP; and a peer that is still
            // receiving the sessions is left the role when it has them.
            advertiseAll(at: now)
            sendHeartbeat(at: now)
        }
    }
}

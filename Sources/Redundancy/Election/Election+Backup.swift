import LabEvents
import LabTime
import Mutants

/// The phases of a Backup. What they have in common is in `stepStandby`.
extension Election {
    mutating func stepStarting(_ input: Input, _ standby: Standby, at now: Instant) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            guard standbyReceives(advertisement, on: router, at: now) else { return .ignored }
            guard advertisement.priority != 0 else { return .done }
            enter(.backup(standby), at: now, because: "an Active advertises")
            settle(on: advertisement)
            return .done
        case .foreignPeer, .crossConnectCarrier(isUp: false), .due(.silentPeriod):
            // Nobody needs to be waited for any more; the Active-down timers may have fired meanwhile.
            enter(.backup(standby), at: now, because: "the silent period is over")
            considerTakingOver(at: now)
            return .done
        case .due(.peerSilence):
            // There was no heartbeat yet.
            return .ignored
        case .start, .shutDown, .statement, .hello, .sessionsComplete, .resync, .switchoverRequest, .routerCarrier,
            .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepStandby(input, standby, at: now)
        }
    }

    mutating func stepBackup(_ input: Input, _ standby: Standby, at now: Instant) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            guard standbyReceives(advertisement, on: router, at: now) else { return .ignored }
            if advertisement.priority != 0 { settle(on: advertisement) }
            return .done
        case .due(.peerSilence):
            guard let heartbeat = settings.heartbeat, peer.missesHeartbeat(at: now) else { return .ignored }
            act(.peerLost)
            var standby = standby
            standby.requestsRole = false
            // Whichever is later: the time in which a living Active repeats itself, or its next advertisement is overdue.
            var until = max(now + heartbeat.grace, peer.lastAdvertisementAt + advertisementBound)
            if Mutant.isOn(.takesOverLate) { until += .milliseconds(250) }
            enter(.grace(standby, until: until), at: now, because: "the peer's heartbeat is missing")
            return .done
        case .start, .shutDown, .statement, .hello, .foreignPeer, .sessionsComplete, .resync, .switchoverRequest,
            .routerCarrier, .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepStandby(input, standby, at: now)
        }
    }

    mutating func stepGrace(_ input: Input, _ standby: Standby, at now: Instant) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            guard standbyReceives(advertisement, on: router, at: now) else { return .ignored }
            guard advertisement.priority != 0 else { return .done }
            enter(.backup(standby), at: now, because: "an Active advertises")
            report(.crossConnectDown, [.reason: "no heartbeat, but advertisements still arrive"])
            settle(on: advertisement)
            return .done
        case .due(.grace):
            declarePeerDead(standby, at: now)
            return .done
        case .due(.peerSilence):
            // It was noticed before.
            return .ignored
        case .start, .shutDown, .statement, .hello, .foreignPeer, .sessionsComplete, .resync, .switchoverRequest,
            .routerCarrier, .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepStandby(input, standby, at: now)
        }
    }

    mutating func stepHandingOver(_ input: Input, _ standby: Standby, at now: Instant) -> Reply {
        switch input {
        case .advertisement(let advertisement, let router):
            guard standbyReceives(advertisement, on: router, at: now) else { return .ignored }
            if advertisement.priority != 0, !receivesHeartbeat {
                enter(.backup(standby), at: now, because: "an Active advertises")
            }
            return .done
        case .due(.handover):
            takeBack(standby, at: now)
            return .done
        case .due(.peerSilence):
            guard peer.missesHeartbeat(at: now) else { return .ignored }
            act(.peerLost)
            var standby = standby
            standby.requestsRole = false
            update(standby)
            takeBack(standby, at: now)
            return .done
        case .start, .shutDown, .statement, .hello, .foreignPeer, .sessionsComplete, .resync, .switchoverRequest,
            .routerCarrier, .trackedLink, .trackedLinkChanged, .crossConnectCarrier, .due:
            return stepStandby(input, standby, at: now)
        }
    }

    /// What every Backup does.
    private mutating func stepStandby(_ input: Input, _ standby: Standby, at now: Instant) -> Reply {
        switch input {
        case .statement(let statement, let startsOver):
            return standbyReceives(statement, startsOver: startsOver, standby, at: now)
        case .hello:
            answerHello(at: now)
        case .sessionsComplete:
            sessions = .pair
            considerPreempting(at: now)
        case .switchoverRequest:
            return .refused(.notActive)
        case .routerCarrier(let router, _, let isUp):
            guard routers.setCarrier(of: router, isUp: isUp) else { return .ignored }
            if isUp { routers.becomeBackup(router, at: now) }
            claimChanged(standby, isBetter: isUp, at: now)
        case .trackedLink(let index, let isUp):
            return routers.setTrackedLink(index, isUp: isUp) ? .done : .ignored
        case .trackedLinkChanged(_, let isUp):
            routers.updatePriorities()
            claimChanged(standby, isBetter: isUp, at: now)
        case .crossConnectCarrier(isUp: true), .due(.heartbeat):
            sendHeartbeat(at: now)
        case .crossConnectCarrier(isUp: false):
            loseCrossConnect(at: now)
        case .due(.routers):
            advanceRouters(to: now)
        case .shutDown:
            routers.shutDown()
            enter(.stopped, at: now, because: "shut down")
        case .start, .foreignPeer:
            return .ignored
        case .resync, .due(.alarm), .due(.rivalSilence):
            // An Active's.
            return .ignored
        case .advertisement, .due(.handover), .due(.peerSilence), .due(.grace), .due(.silentPeriod):
            // Where it has a meaning, the phase itself handles it.
            return .ignored
        }
        return .done
    }

    /// A link came or went, and with it priority.
    private mutating func claimChanged(_ standby: Standby, isBetter: Bool, at now: Instant) {
        var standby = standby
        if !isBetter { standby.requestsRole = false }
        update(standby)
        sendHeartbeat(at: now)
        if isBetter { considerPreempting(at: now) }
    }

    // MARK: The end of waiting

    /// The Active-down timer of one virtual router has fired, or the silent period is over; the pair fails over only
    /// where no path shows an Active.
    mutating func considerTakingOver(at now: Instant) {
        let (resignationCounts, silenceCounts) =
            switch phase {
            case .starting, .grace: (true, false)
            case .backup: (true, true)
            case .handingOver: (false, true)
            case .stopped, .active, .dualActive: (false, false)
            }
        if resignationCounts, peer.hasResigned, !waitsForPeersSessions {
            becomeActive(at: now, because: "priority 0 from the peer")
            return
        }
        guard silenceCounts, routers.receiveNothing,
            !(receivesHeartbeat && settings.rules.contains(.trustsHeartbeat))
        else { return }
        let reason = "no advertisement for the Active-down interval"
        if isReady { report(.peerDown, [.reason: reason]) }
        becomeActive(inSilence: true, at: now, because: reason)
    }

    /// Neither path has shown the peer.
    private mutating func declarePeerDead(_ standby: Standby, at now: Instant) {
        let reason = "the peer is dead: no heartbeat and no advertisement"
        report(.peerDown, [.reason: reason])
        guard routers.hasAnyPort else {
            // There is nothing to be Active on; the Active-down timers decide when a port comes up.
            var standby = standby
            standby.yields = false
            return enter(.backup(standby), at: now, because: reason)
        }
        becomeActive(inSilence: true, at: now, because: reason)
    }

    /// The peer did not take the role that was left to it.
    private mutating func takeBack(_ standby: Standby, at now: Instant) {
        guard settings.rules.contains(.takesBack) else { return }
        if receivesHeartbeat, let statement = peer.monitor?.statement, statement.flags.contains(.handsOver),
            !hasBetterClaim(than: statement), let heartbeat = settings.heartbeat
        {
            // Each has left the role to the other: one takes it back, the other waits once more.
            let until = now + heartbeat.bound
            return enter(.handingOver(standby, until: until), at: now, because: "the peer hands over too")
        }
        becomeActive(at: now, because: "the peer did not take over")
    }

    private var advertisementBound: Duration {
        VirtualRouterTimers.overdue(
            priority: effectivePriority, interval: routers.slowestInterval ?? settings.advertisementInterval)
    }
}

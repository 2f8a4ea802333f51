import LabEvents
public import LabTime
import Mutants

extension Election {
    /// Every port is ready: speak, listen, and wait as Backup.
    ///
    /// The instant also names this life of the box, so it must be later than that of any earlier life.
    public mutating func start(at now: Instant) {
        guard role == .initialize else { return }
        epoch = UInt64(max(1, now.nanoseconds))
        startedAt = now
        role = .backup
        roleSince = now
        if settings.heartbeat != nil, settings.startupSilentPeriod > .zero {
            silentUntil = now + settings.startupSilentPeriod
        }
        for index in routers.indices { routers[index].start(at: now) }
        sendHeartbeat(at: now)
    }

    /// The box goes down in an orderly way: its peer takes over at once.
    public mutating func shutDown(at now: Instant) {
        if role == .active { handOver(at: now, because: "shut down") }
        role = .initialize
        for index in routers.indices { _ = routers[index].shutDown() }
    }

    /// Fires every timer that is due.
    public mutating func advance(to now: Instant) {
        guard role != .initialize else { return }
        forgiveOwnLateness(at: now)
        if let due = heartbeatAt, due <= now { sendHeartbeat(at: now) }
        if let ends = handoverEnds, ends <= now { takeBack(at: now) }
        noticeSilence(at: now)
        if let ends = graceEnds, ends <= now { declarePeerDead(at: now) }
        if let due = alarmAt, due <= now {
            alarmAt = nil
            if role == .active { advertiseAll(at: now) }
        }
        advanceRouters(to: now)
        if let ends = silentUntil, ends <= now { endSilence(at: now) }
        if role == .active, dualActiveSince != nil, !receivesHeartbeat, let last = lastRivalAt,
            now - last > settings.advertisementInterval * 3
        {
            endDualActive(at: now, because: "the rival is silent")
        }
    }

    /// A box that did not run for a while must not take its own lateness for the peer's silence: what the peer sent
    /// meanwhile is waiting to be read. Once only until the peer is heard again, so that a box which is always late
    /// still notices a death.
    private mutating func forgiveOwnLateness(at now: Instant) {
        guard !forgaveLateness, let due = deadline else { return }
        let tolerance = settings.heartbeat?.interval ?? settings.advertisementInterval / 4
        guard now - due > tolerance else { return }
        forgaveLateness = true
        let chance = now + tolerance
        monitor?.postpone(to: chance)
        if let ends = graceEnds, ends < chance { graceEnds = chance }
        for index in routers.indices { routers[index].postpone(to: chance) }
    }

    mutating func noticeSilence(at now: Instant) {
        guard settings.rules.contains(.noticesDeath), monitor?.advance(to: now) == true,
            let heartbeat = settings.heartbeat
        else { return }
        requestsRole = false
        act(.peerLost)
        if role == .active {
            report(.peerDown, [.reason: "\(heartbeat.misses) heartbeats missed"])
            // The peer misses our heartbeat too if only the cross-connect is cut: prove that we live.
            advertiseAll(at: now)
            // Again one interval later: the peer may notice the silence after the first has arrived.
            alarmAt = now + heartbeat.interval
        } else if handoverEnds != nil {
            takeBack(at: now)
        } else {
            // Whichever is later: the time in which a living Active repeats itself, or its next advertisement is overdue.
            let overdue = (lastAdvertisementAt ?? startedAt) + advertisementBound
            graceEnds = max(now + heartbeat.grace, overdue)
            if Mutant.isOn(.takesOverLate) { graceEnds = graceEnds.map { $0 + .milliseconds(250) } }
        }
    }

    /// By the slowest of the Active's advertisements.
    private var advertisementBound: Duration {
        VirtualRouterTimers.overdue(
            priority: effectivePriority,
            interval: routers.map(\.activeInterval).max() ?? settings.advertisementInterval)
    }

    mutating func reportCutCrossConnect() {
        report(.crossConnectDown, [.reason: "no heartbeat, but advertisements still arrive"])
    }

    /// Neither path has shown the peer.
    private mutating func declarePeerDead(at now: Instant) {
        graceEnds = nil
        yields = false
        let reason = "the peer is dead: no heartbeat and no advertisement"
        report(.peerDown, [.reason: reason])
        // With all ports down there is nothing to be Active on; the Active-down timers decide when one comes up.
        guard isUp.contains(true) else { return }
        becomeActive(at: now, because: reason)
        tookOverInSilence = true
    }

    /// The peer did not take the role that was left to it.
    private mutating func takeBack(at now: Instant) {
        guard settings.rules.contains(.takesBack) else { return }
        if receivesHeartbeat, let peer = monitor?.statement, peer.flags.contains(.handsOver),
            !hasBetterClaim(than: peer),
            let heartbeat = settings.heartbeat
        {
            // Each has left the role to the other: one takes it back, the other waits once more.
            handoverEnds = now + heartbeat.bound
            return
        }
        handoverEnds = nil
        becomeActive(at: now, because: "the peer did not take over")
    }

    private mutating func advanceRouters(to now: Instant) {
        for index in routers.indices where isUp[index] {
            switch routers[index].advance(to: now) {
            case .nothing, .yield:
                continue
            case .advertise:
                act(.advertise(router: index, priority: effectivePriority))
                routers[index].advertised(at: now)
            case .takeOver:
                considerTakingOver(at: now)
            }
        }
    }

    /// Nobody needs to be waited for any more; the Active-down timers may have fired meanwhile.
    mutating func endSilence(at now: Instant) {
        guard silentUntil != nil else { return }
        silentUntil = nil
        considerTakingOver(at: now)
    }

    /// The Active-down timer of one virtual router has fired; the pair fails over only where no path shows an Active.
    private mutating func considerTakingOver(at now: Instant) {
        guard role == .backup else { return }
        if peerResigned, handoverEnds == nil {
            becomeActive(at: now, because: "priority 0 from the peer")
            return
        }
        guard !(receivesHeartbeat && settings.rules.contains(.trustsHeartbeat)), graceEnds == nil else { return }
        guard silentUntil == nil, isUp.contains(true), zip(routers, isUp).allSatisfy({ !$1 || $0.receivesNothing })
        else {
            return
        }
        yields = false
        if isReady { report(.peerDown, [.reason: "no advertisement for the Active-down interval"]) }
        becomeActive(at: now, because: "no advertisement for the Active-down interval")
        tookOverInSilence = true
    }
}

import LabEvents
public import LabTime
import Wire

extension Election {
    /// Handles a valid advertisement that arrived on the port of a virtual router.
    public mutating func receive(_ advertisement: Advertisement, on index: Int, at now: Instant) {
        guard routers.indices.contains(index), isUp[index], role != .initialize else { return }
        routers[index].priority = effectivePriority
        // While heartbeats are heard a preempting box asks for the role instead of outwaiting the Active.
        routers[index].preempts = mayPreempt && !receivesHeartbeat
        let verdict = routers[index].receive(advertisement, at: now)
        if role == .backup { backupReceives(advertisement, on: index, at: now) }
        switch verdict {
        case .nothing, .takeOver:
            return
        case .advertise:
            if advertisement.priority != 0, !receivesHeartbeat { noticeRival(advertisement, at: now) }
            act(.advertise(router: index, priority: effectivePriority))
            routers[index].advertised(at: now)
        case .yield:
            // The heartbeat's word is newer than an advertisement that was on its way when the roles changed.
            if receivesHeartbeat, monitor?.statement?.role != .active {
                overruled &+= 1
                return
            }
            guard settings.rules.contains(.yieldsToBetterClaim) else { return }
            noticeRival(advertisement, at: now)
            becomeBackup(
                at: now, because: "an advertisement of priority \(advertisement.priority) from \(advertisement.source)")
        }
    }

    private mutating func noticeRival(_ advertisement: Advertisement, at now: Instant) {
        lastRivalAt = now
        guard dualActiveSince == nil else { return }
        // An advertisement does not say since when its sender is Active.
        dualActiveSince = tookOverInSilence ? roleSince : now
        report(
            .dualActive,
            [.reason: "an advertisement of priority \(advertisement.priority) from \(advertisement.source)"])
        act(.announceAddresses)
    }

    private mutating func backupReceives(_ advertisement: Advertisement, on index: Int, at now: Instant) {
        forgaveLateness = false
        guard advertisement.priority != 0 else {
            peerResigned = true
            return
        }
        peerResigned = false
        lastAdvertisementAt = now
        if !receivesHeartbeat { handoverEnds = nil }
        if graceEnds != nil {
            graceEnds = nil
            reportCutCrossConnect()
        }
        settle(because: "an Active of priority \(advertisement.priority) is heard")
    }
}

import LabEvents
import LabTime
import Mutants

/// Changes of the role, each with all that belongs to it, and what boxes of every role send.
extension Election {
    /// - Parameter inSilence: no path shows an Active
    mutating func becomeActive(inSilence: Bool = false, at now: Instant, because reason: String) {
        enter(.active(ActiveTerm(since: now, beganInSilence: inSilence)), at: now, because: reason)
        sessions = .pair
        peer.hasResigned = false
        act(.startForwarding)
        routers.becomeActive(at: now)
        advertiseAll(at: now)
        act(.announceAddresses)
        sendHeartbeat(at: now)
        report(.active, [.reason: reason])
        settle(because: reason)
    }

    /// The Active yields to a rival.
    mutating func becomeBackup(at now: Instant, because reason: String) {
        // The sessions of one that is not received are not here.
        if !receivesHeartbeat, settings.heartbeat != nil { sessions = .own }
        enter(.backup(Standby(since: now)), at: now, because: reason)
        act(.stopForwarding(handingOver: false))
        routers.becomeBackup(at: now)
        sendHeartbeat(at: now)
        report(.backup, [.reason: reason])
    }

    /// The Active leaves the role to its peer: first it forwards no more, then it resigns on every path.
    /// - Parameter yields: somebody asked for it
    mutating func handOver(yields: Bool = false, at now: Instant, because reason: String) {
        let standby = Standby(since: now, yields: yields)
        sessions = .pair
        // Without a cross-connect nobody confirms.
        enter(
            settings.heartbeat.map { .handingOver(standby, until: now + $0.bound) } ?? .backup(standby), at: now,
            because: reason)
        if settings.rules.contains(.stopsBeforeHandingOver) { act(.stopForwarding(handingOver: true)) }
        for index in routers.routers.indices {
            if !Mutant.isOn(.resignsSilently) { act(.advertise(router: index, priority: 0)) }
            routers.becomeBackup(index, at: now)
        }
        sendHeartbeat(at: now)
        report(.backup, [.reason: reason])
    }

    // MARK: Both paths

    /// Sends a heartbeat now; the next follows an interval later, or sooner during a handover.
    mutating func sendHeartbeat(at now: Instant) {
        guard let interval = settings.heartbeat?.interval else { return }
        var flags: PairStatement.Flags = []
        if phase.standby?.yields == true { flags.insert(.yields) }
        if hasSessions { flags.insert(.knowsSessions) }
        if phase.standby?.requestsRole == true { flags.insert(.requestsRole) }
        if isHandingOver { flags.insert(.handsOver) }
        act(
            .send(
                heartbeat.statement(
                    role: role, priority: effectivePriority, flags: flags, roleAge: now - (phase.since ?? now))))
        // A handover must not wait for a whole interval when a message is lost.
        heartbeat.dueAt = now + (isHandingOver ? max(.milliseconds(1), interval / 4) : interval)
    }

    /// The next regular heartbeat is not put off: whoever sends hellos without end would silence this box.
    mutating func answerHello(at now: Instant) {
        peer.receiveHello()
        let regular = heartbeat.dueAt
        sendHeartbeat(at: now)
        if let regular { heartbeat.dueAt = regular }
    }

    /// A heartbeat counts: the first one after silence, and each of a new incarnation, is reported.
    mutating func acknowledge(_ arrival: PeerObservation.Arrival, at now: Instant) {
        guard arrival.reception != .continued else { return }
        act(.peerAppeared(restarted: arrival.hasRestarted))
        report(
            .peerUp, [.reason: arrival.reception == .restarted ? "the peer started anew" : "heartbeat heard"])
        if arrival.reception == .appeared { sendHeartbeat(at: now) }
    }

    /// The cross-connect's port has no carrier: silence begins at once.
    mutating func loseCrossConnect(at now: Instant) {
        peer.lostCarrier(at: now)
        if isDue(.peerSilence, at: now) { step(.due(.peerSilence), at: now) }
    }

    mutating func advertiseAll(at now: Instant) {
        for index in routers.routers.indices { advertise(index, at: now) }
    }

    mutating func advertise(_ index: Int, at now: Instant) {
        act(.advertise(router: index, priority: effectivePriority))
        routers.advertised(index, at: now)
    }

    /// Fires the timers of the virtual routers that are due.
    mutating func advanceRouters(to now: Instant) {
        for index in routers.routers.indices {
            switch routers.advance(index, to: now) {
            case .nothing, .yield: continue
            case .advertise: advertise(index, at: now)
            case .takeOver: considerTakingOver(at: now)
            }
        }
    }
}

public import LabTime

extension Election {
    /// The next instant at which `advance` has something to do.
    ///
    /// Asked for each batch of frames: without an array.
    public var deadline: Instant? {
        var earliest: Instant?
        for timer in Self.timers where timer != .rivalSilence {
            if let due = deadline(of: timer) { earliest = min(earliest ?? due, due) }
        }
        return earliest
    }

    private static let timers = Timer.allCases

    /// Fires every timer that is due.
    public mutating func advance(to now: Instant) {
        excuseOwnLateness(at: now)
        for timer in Self.timers where isDue(timer, at: now) { step(.due(timer), at: now) }
    }

    func isDue(_ timer: Timer, at now: Instant) -> Bool { deadline(of: timer).map { $0 <= now } ?? false }

    /// When a timer is due; nil where it does not run.
    func deadline(of timer: Timer) -> Instant? {
        switch (timer, phase) {
        case (_, .stopped): nil
        case (.heartbeat, _): heartbeat.dueAt
        case (.handover, .handingOver(_, let until)): until
        case (.peerSilence, _): settings.rules.contains(.noticesDeath) ? peer.monitor?.deadline : nil
        case (.grace, .grace(_, let until)): until
        case (.alarm, .active(let term)), (.alarm, .dualActive(let term, _)): term.alarmAt
        case (.routers, _): routers.deadline
        case (.silentPeriod, .starting(_, let until)): until
        case (.rivalSilence, .dualActive(_, let record)): receivesHeartbeat ? nil : rivalIsSilent(since: record)
        case (.handover, _), (.grace, _), (.alarm, _), (.silentPeriod, _), (.rivalSilence, _): nil
        }
    }

    /// Three advertisements missed: the first instant after them.
    private func rivalIsSilent(since record: DualActiveRecord) -> Instant {
        record.lastRivalAt + settings.advertisementInterval * 3 + .nanoseconds(1)
    }

    /// A box that did not run for a while must not take its own lateness for the peer's silence: what the peer sent
    /// meanwhile is waiting to be read.
    private mutating func excuseOwnLateness(at now: Instant) {
        guard !peer.isExcused, let due = deadline else { return }
        let tolerance = settings.heartbeat?.interval ?? settings.advertisementInterval / 4
        guard now - due > tolerance else { return }
        peer.isExcused = true
        let extended = now + tolerance
        peer.postponeSilence(to: extended)
        routers.postponeSilence(to: extended)
        if case .grace(let standby, let until) = phase, until < extended {
            enter(.grace(standby, until: extended), at: now, because: "the box was late itself")
        }
    }
}

import LabTime

extension Election {
    /// Before the start and after the end: links and sessions are remembered, for the start.
    mutating func stepStopped(_ input: Input, at now: Instant) -> Reply {
        switch input {
        case .start:
            begin(at: now)
            return .done
        case .routerCarrier(let router, _, let isUp):
            return routers.setCarrier(of: router, isUp: isUp) ? .done : .ignored
        case .trackedLink(let index, let isUp):
            return routers.setTrackedLink(index, isUp: isUp) ? .done : .ignored
        case .sessionsComplete:
            sessions = .pair
            return .done
        case .switchoverRequest:
            return .refused(.notActive)
        case .shutDown, .advertisement, .statement, .hello, .foreignPeer, .resync, .trackedLinkChanged,
            .crossConnectCarrier, .due:
            return .ignored
        }
    }

    private mutating func begin(at now: Instant) {
        heartbeat.begin(at: now)
        peer.lastAdvertisementAt = now
        let standby = Standby(since: now)
        let waits = settings.heartbeat != nil && settings.startupSilentPeriod > .zero
        enter(
            waits ? .starting(standby, until: now + settings.startupSilentPeriod) : .backup(standby), at: now,
            because: "started")
        routers.start(at: now)
        sendHeartbeat(at: now)
    }
}

public import LabTime
public import Wire

/// One virtual router's state machine.
///
/// It decides nothing alone: what the RFC makes a transition comes out as a `Verdict`, and whoever owns the router
/// carries it out with `becomeActive` or `becomeBackup`. So several routers of one box can fail over together.
/// A lone router follows each verdict at once and then behaves exactly as the RFC says.
/// Source: RFC 9568, 6.4
public struct VirtualRouter: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, Codable {
        case initialize, backup, active
    }

    /// What the state machine asks of its owner.
    public enum Verdict: Hashable, Sendable {
        case nothing
        /// Active: the Adver_Timer fired, or a losing advertisement must be answered; send an advertisement now.
        case advertise
        /// Backup: no Active is heard any more; become Active.
        case takeOver
        /// Active: somebody with a better claim advertises; become Backup.
        case yield
    }

    public private(set) var state = State.initialize
    /// Own Advertisement_Interval.
    public let interval: Duration
    /// Own address on the link.
    public let address: IPv4Address
    /// Own priority as advertised; a box lowers it while one of its tracked links is down.
    public var priority: UInt8
    /// Preempt_Mode
    public var preempts: Bool
    /// Active_Adver_Interval: what the Active said last, or the own interval before the first word.
    public private(set) var activeInterval: Duration
    private var activeDownAt: Instant?
    private var advertiseAt: Instant?

    public init(priority: UInt8, preempts: Bool, interval: Duration, address: IPv4Address) {
        self.priority = priority
        self.preempts = preempts
        self.interval = interval
        self.address = address
        activeInterval = interval
    }

    /// Active_Down_Interval as it is now.
    public var activeDownInterval: Duration {
        VirtualRouterTimers.activeDown(priority: priority, interval: activeInterval)
    }

    /// Backup: the Active_Down_Timer has fired and nothing was heard since.
    public var receivesNothing: Bool { state == .backup && activeDownAt == nil }

    /// The next instant at which `advance` has something to say.
    public var deadline: Instant? { state == .active ? advertiseAt : activeDownAt }

    /// The Startup event for a router that does not own the address: wait as Backup for an Active.
    public mutating func start(at now: Instant) {
        activeInterval = interval
        becomeBackup(at: now)
    }

    /// The owner has sent an advertisement and announced the addresses.
    public mutating func becomeActive(at now: Instant) {
        state = .active
        activeDownAt = nil
        advertiseAt = now + interval
    }

    public mutating func becomeBackup(at now: Instant) {
        state = .backup
        advertiseAt = nil
        activeDownAt = now + activeDownInterval
    }

    /// The Shutdown event.
    /// - Returns: whether an advertisement of priority 0 is due, because the router was Active.
    public mutating func shutDown() -> Bool {
        defer {
            state = .initialize
            activeDownAt = nil
            advertiseAt = nil
        }
        return state == .active
    }

    /// Waits a whole Active_Down_Interval again, after another path has shown that the Active lives.
    public mutating func restartActiveDownTimer(at now: Instant) {
        if state == .backup { activeDownAt = now + activeDownInterval }
    }

    /// Gives advertisements that may be waiting to be read a last chance; for a box that was itself late.
    public mutating func postpone(to instant: Instant) {
        if state == .backup, let due = activeDownAt, due < instant { activeDownAt = instant }
    }

    /// An advertisement left at `now`; the next one is due an interval later.
    public mutating func advertised(at now: Instant) {
        if state == .active { advertiseAt = now + interval }
    }

    /// Handles an advertisement of another router with the same VRID.
    public mutating func receive(_ advertisement: Advertisement, at now: Instant) -> Verdict {
        switch state {
        case .initialize:
            return .nothing
        case .backup:
            if advertisement.priority == 0 {
                activeDownAt = now + VirtualRouterTimers.skew(priority: priority, interval: activeInterval)
            } else if !preempts || advertisement.priority >= priority {
                activeInterval = advertisement.interval
                activeDownAt = now + activeDownInterval
            }
            return .nothing
        case .active:
            guard advertisement.priority != 0 else { return .advertise }
            guard loses(to: advertisement) else {
                // RFC 9568 over RFC 5798: a losing rival learns at once that it lost, and so do the switches.
                return .advertise
            }
            activeInterval = advertisement.interval
            return .yield
        }
    }

    /// Fires the timer that is due.
    public mutating func advance(to now: Instant) -> Verdict {
        switch state {
        case .initialize:
            return .nothing
        case .backup:
            guard let due = activeDownAt, due <= now else { return .nothing }
            activeDownAt = nil
            return .takeOver
        case .active:
            guard let due = advertiseAt, due <= now else { return .nothing }
            return .advertise
        }
    }

    /// Whether the advertisement's sender has the better claim: priority, then the greater address.
    public func loses(to advertisement: Advertisement) -> Bool {
        advertisement.priority > priority
            || advertisement.priority == priority && advertisement.source.rawValue > address.rawValue
    }
}

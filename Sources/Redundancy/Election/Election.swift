import LabEvents
public import LabTime
import Mutants
import Wire

/// Decides which box of a pair is Active, for all of its virtual routers together.
///
/// Two paths are combined. The heartbeat on the cross-connect carries `PairStatement`s and, while it lives, its word
/// about roles counts; advertisements alone decide only where it is silent. So boxes that hear each other settle at
/// once, a cut cross-connect changes nothing while advertisements arrive, and a late advertisement of a box that has
/// just handed over takes the role from nobody.
///
/// | situation | who is Active |
/// |---|---|
/// | nobody is, both heard | the box that does not stand back; that knows the sessions; higher priority; greater address |
/// | both are | higher priority, then greater address (RFC 9568), and the winner announces itself again |
/// | heartbeats missed and the next advertisement overdue, or the Active-down interval without either | the Backup |
/// | just started, nothing heard of the peer, carrier on the cross-connect | nobody, until the startup silent period ends |
/// | higher priority, preempting, sessions complete, not standing back | asks, and the Active hands over |
///
/// Pure: time comes in as an argument; what is to be done comes out as actions, in order.
public struct Election: Sendable {
    public let settings: ElectionSettings
    public internal(set) var role = VirtualRouter.State.initialize
    /// Whether the role was settled once since the start.
    public internal(set) var isReady = false
    /// Whether a requested switchover took the role from this box and suspends its preemption. It ends when the peer
    /// fails or another request brings the role back.
    public internal(set) var yields = false
    /// Whether this box knows the pair's sessions.
    public internal(set) var knowsSessions = false
    /// When two Actives were first noticed; nil while there is at most one.
    public internal(set) var dualActiveSince: Instant?
    public internal(set) var routers: [VirtualRouter]
    public internal(set) var monitor: HeartbeatMonitor?

    /// Advertisements with the better claim that changed nothing, because the heartbeat says that the peer is not
    /// Active: somebody else's, or a late one.
    public internal(set) var overruled: UInt64 = 0
    /// Became Active because nobody was heard: whoever is Active beside this box has been so since then at most.
    var tookOverInSilence = false
    var epoch: UInt64 = 0
    var sequence: UInt64 = 0
    var isUp: [Bool]
    /// Whether each tracked link has carrier.
    var trackedIsUp: [Bool]
    /// Since when the box has its role.
    var roleSince = Instant(nanoseconds: 0)
    var heartbeatAt: Instant?
    /// While set, the box has left the role to its peer, which has not confirmed.
    var handoverEnds: Instant?
    /// While set, the peer's heartbeat is missing and an advertisement may still prove that it lives.
    var graceEnds: Instant?
    /// When an Active that misses its peer's heartbeat advertises once more, to prove that it lives.
    var alarmAt: Instant?
    var requestsRole = false
    /// An advertisement of priority 0 was heard, and no Active since.
    var peerResigned = false
    /// The life of the peer that was heard last.
    var peerEpoch: UInt64?
    /// When this Backup last heard an Active's advertisement.
    var lastAdvertisementAt: Instant?
    var startedAt = Instant(nanoseconds: 0)
    /// While set, a peer that has not been heard since the start may still be starting.
    var silentUntil: Instant?
    var forgaveLateness = false
    /// When an Active last heard of another one, by an advertisement or a heartbeat.
    var lastRivalAt: Instant?
    private var actions: [ElectionAction] = []

    public init(_ settings: ElectionSettings) {
        var settings = settings
        if Mutant.isOn(.neverYields) { settings.rules.remove(.yieldsToBetterClaim) }
        if Mutant.isOn(.preemptsEmpty) { settings.rules.remove(.waitsForSessions) }
        self.settings = settings
        isUp = settings.routerAddresses.map { _ in true }
        trackedIsUp = (settings.decrements ?? []).map { _ in true }
        monitor = settings.heartbeat.map { HeartbeatMonitor($0) }
        routers = settings.routerAddresses.map {
            VirtualRouter(
                priority: settings.priority, preempts: settings.preempts, interval: settings.advertisementInterval,
                address: $0)
        }
    }

    /// Whether the peer's heartbeat is heard.
    public var receivesHeartbeat: Bool { monitor?.isAlive ?? false }

    /// Whether the box has left the role to its peer, which has not confirmed yet: what it sends after that word arrives
    /// at an Active.
    public var isHandingOver: Bool { handoverEnds != nil }

    /// Whether the port of a virtual router has carrier.
    public func isUp(router index: Int) -> Bool { isUp[index] }

    /// The priority that this box claims: its own, less what links that are down take from it (at least 1).
    public var effectivePriority: UInt8 {
        if let decrements = settings.decrements {
            let lost = zip(decrements, trackedIsUp).reduce(0) { $0 + ($1.1 ? 0 : Int($1.0)) }
            return UInt8(clamping: max(1, Int(settings.priority) - lost))
        }
        guard isUp.contains(false) else { return settings.priority }
        return min(settings.priority, UInt8(clamping: max(1, isUp.count { $0 })))
    }

    /// The next instant at which `advance` has something to do.
    public var deadline: Instant? {
        guard role != .initialize else { return nil }
        var next = heartbeatAt
        func consider(_ candidate: Instant?) {
            if let candidate, next.map({ candidate < $0 }) ?? true { next = candidate }
        }
        if settings.rules.contains(.noticesDeath) { consider(monitor?.deadline) }
        consider(graceEnds)
        consider(handoverEnds)
        consider(alarmAt)
        consider(silentUntil)
        for (router, up) in zip(routers, isUp) where up { consider(router.deadline) }
        return next
    }

    /// What is to be done since the last call, in order.
    public mutating func takeActions() -> [ElectionAction] {
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    mutating func act(_ action: ElectionAction) { actions.append(action) }

    mutating func report(_ kind: EventKind, _ details: EventDetails = [:]) {
        actions.append(.report(kind: kind, details: details))
    }

    // MARK: Transitions

    mutating func becomeActive(at now: Instant, because reason: String) {
        role = .active
        roleSince = now
        tookOverInSilence = false
        yields = false
        requestsRole = false
        knowsSessions = true
        handoverEnds = nil
        graceEnds = nil
        peerResigned = false
        act(.startForwarding)
        for index in routers.indices {
            routers[index].priority = effectivePriority
            routers[index].becomeActive(at: now)
        }
        advertiseAll(at: now)
        act(.announceAddresses)
        sendHeartbeat(at: now)
        report(.active, [.reason: reason])
        settle(because: reason)
    }

    mutating func becomeBackup(at now: Instant, because reason: String) {
        role = .backup
        roleSince = now
        requestsRole = false
        graceEnds = nil
        endDualActive(at: now, because: reason)
        act(.stopForwarding(handingOver: false))
        for index in routers.indices { routers[index].becomeBackup(at: now) }
        sendHeartbeat(at: now)
        report(.backup, [.reason: reason])
    }

    /// The Active leaves the role to its peer: first it forwards no more, then it resigns on every path.
    mutating func handOver(at now: Instant, because reason: String) {
        role = .backup
        roleSince = now
        handoverEnds = settings.heartbeat.map { now + $0.bound }
        endDualActive(at: now, because: reason)
        if settings.rules.contains(.stopsBeforeHandingOver) { act(.stopForwarding(handingOver: true)) }
        for index in routers.indices {
            if !Mutant.isOn(.resignsSilently) { act(.advertise(router: index, priority: 0)) }
            routers[index].becomeBackup(at: now)
        }
        sendHeartbeat(at: now)
        report(.backup, [.reason: reason])
    }

    mutating func settle(because reason: String) {
        silentUntil = nil
        guard !isReady else { return }
        isReady = true
        report(.ready, [.role: role.rawValue, .reason: reason])
    }

    /// Closes the record of two Actives. Every way out of the role comes through here.
    mutating func endDualActive(at now: Instant, because reason: String) {
        guard let since = dualActiveSince else { return }
        dualActiveSince = nil
        report(
            .dualActiveOver,
            [.reason: reason, .milliseconds: String((now - since).milliseconds), .role: role.rawValue])
    }

    // MARK: Words

    /// Sends a heartbeat now; the next follows an interval later, or sooner during a handover.
    mutating func sendHeartbeat(at now: Instant) {
        guard let heartbeat = settings.heartbeat else { return }
        sequence &+= 1
        var flags: PairStatement.Flags = []
        if yields { flags.insert(.yields) }
        if knowsSessions { flags.insert(.knowsSessions) }
        if requestsRole { flags.insert(.requestsRole) }
        if handoverEnds != nil { flags.insert(.handsOver) }
        act(
            .send(
                PairStatement(
                    epoch: epoch, sequence: sequence, role: role, priority: effectivePriority, flags: flags,
                    roleAge: now - roleSince)))
        // A handover must not wait for a whole interval when a message is lost.
        heartbeatAt = now + (handoverEnds == nil ? heartbeat.interval : max(.milliseconds(1), heartbeat.interval / 4))
    }

    mutating func advertiseAll(at now: Instant) {
        for index in routers.indices {
            act(.advertise(router: index, priority: effectivePriority))
            routers[index].advertised(at: now)
        }
    }
}

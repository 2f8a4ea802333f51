import LabTime

/// The virtual routers of a box, which fail over together, and the links on which its priority depends.
struct RouterGroup: Hashable, Sendable {
    private let priority: UInt8
    private let decrements: [UInt8]?
    private(set) var routers: [VirtualRouter]
    /// Whether the port of each virtual router has carrier.
    private(set) var isUp: [Bool]
    /// Whether each tracked link has carrier.
    private var trackedIsUp: [Bool]

    init(_ settings: ElectionSettings) {
        priority = settings.priority
        decrements = settings.decrements
        routers = settings.routerAddresses.map {
            VirtualRouter(
                priority: settings.priority, preempts: settings.preempts, interval: settings.advertisementInterval,
                address: $0)
        }
        isUp = routers.map { _ in true }
        trackedIsUp = (settings.decrements ?? []).map { _ in true }
    }

    // MARK: Links

    /// The configured priority, less what links that are down take from it (at least 1).
    var effectivePriority: UInt8 {
        if let decrements {
            let lost = zip(decrements, trackedIsUp).reduce(0) { $0 + ($1.1 ? 0 : Int($1.0)) }
            return UInt8(clamping: max(1, Int(priority) - lost))
        }
        guard isUp.contains(false) else { return priority }
        return min(priority, UInt8(clamping: max(1, isUp.count { $0 })))
    }

    var hasAnyPort: Bool { isUp.contains(true) }
    var hasLostLink: Bool { isUp.contains(false) || trackedIsUp.contains(false) }

    /// - Returns: false where nothing changed
    mutating func setCarrier(of index: Int, isUp up: Bool) -> Bool {
        guard routers.indices.contains(index), isUp[index] != up else { return false }
        isUp[index] = up
        updatePriorities()
        return true
    }

    /// The virtual routers learn of it by `updatePriorities`.
    /// - Returns: false where nothing changed
    mutating func setTrackedLink(_ index: Int, isUp up: Bool) -> Bool {
        guard trackedIsUp.indices.contains(index), trackedIsUp[index] != up else { return false }
        trackedIsUp[index] = up
        return true
    }

    mutating func updatePriorities() {
        for index in routers.indices { routers[index].priority = effectivePriority }
    }

    // MARK: Roles

    mutating func start(at now: Instant) {
        for index in routers.indices { routers[index].start(at: now) }
    }

    mutating func shutDown() {
        for index in routers.indices { _ = routers[index].shutDown() }
    }

    mutating func becomeActive(at now: Instant) {
        updatePriorities()
        for index in routers.indices { routers[index].becomeActive(at: now) }
    }

    mutating func becomeBackup(at now: Instant) {
        for index in routers.indices { becomeBackup(index, at: now) }
    }

    mutating func becomeBackup(_ index: Int, at now: Instant) { routers[index].becomeBackup(at: now) }

    // MARK: Messages and timers

    /// - Returns: nil where the port has no carrier, or is none of a virtual router
    mutating func receive(
        _ advertisement: Advertisement, on index: Int, preempts: Bool, at now: Instant
    ) -> VirtualRouter.Verdict? {
        guard routers.indices.contains(index), isUp[index] else { return nil }
        routers[index].priority = effectivePriority
        routers[index].preempts = preempts
        return routers[index].receive(advertisement, at: now)
    }

    mutating func advertised(_ index: Int, at now: Instant) { routers[index].advertised(at: now) }

    /// Fires the timer of one virtual router if it is due.
    mutating func advance(_ index: Int, to now: Instant) -> VirtualRouter.Verdict {
        isUp[index] ? routers[index].advance(to: now) : .nothing
    }

    /// Another path has shown that the Active is alive.
    mutating func restartActiveDownTimers(at now: Instant) {
        for index in routers.indices { routers[index].restartActiveDownTimer(at: now) }
    }

    mutating func postponeSilence(to instant: Instant) {
        for index in routers.indices { routers[index].postpone(to: instant) }
    }

    /// Of those with carrier.
    var deadline: Instant? {
        var earliest: Instant?
        for index in routers.indices where isUp[index] {
            if let due = routers[index].deadline { earliest = min(earliest ?? due, due) }
        }
        return earliest
    }

    /// Whether some port has carrier, and the Active-down timer of each that has fired.
    var receiveNothing: Bool { hasAnyPort && zip(routers, isUp).allSatisfy { !$1 || $0.receivesNothing } }

    /// Advertisement interval of the slowest Active; nil without a virtual router.
    var slowestInterval: Duration? { routers.map(\.activeInterval).max() }
}

import LabEvents
public import LabTime
import Mutants
import Wire

/// Decides which box of a pair is Active, for all of its virtual routers together.
///
/// Two paths are combined. The heartbeat on the cross-connect carries `PairStatement`s and, while it is received, what
/// it states about roles counts; advertisements alone decide only where it is silent. So boxes that receive each other
/// settle at once, a cut cross-connect changes nothing while advertisements arrive, and a late advertisement of a box
/// that has just handed over takes the role from nobody.
///
/// | situation | who is Active |
/// |---|---|
/// | nobody is, both received | the box that knows the sessions; that does not yield; higher priority; greater address |
/// | both are | higher priority, then greater address (RFC 9568), and the winner announces itself again |
/// | heartbeats missed and the next advertisement overdue, or the Active-down interval without either | the Backup |
/// | just started, nothing received of the peer, carrier on the cross-connect | nobody, until the startup silent period ends |
/// | higher priority, preempting, sessions complete, not yielding | asks, and the Active hands over |
///
/// Pure: inputs come with their time; what is to be done comes out as actions, in order.
public struct Election: Sendable {
    public let settings: ElectionSettings
    private(set) var phase = Phase.stopped
    /// Whether the role was settled once since the start.
    public private(set) var isReady = false
    /// Which of the pair's sessions this box has.
    var sessions = SessionKnowledge.none
    @usableFromInline var peer: PeerObservation
    var routers: RouterGroup
    var heartbeat = HeartbeatSender()
    /// Advertisements with the better claim that changed nothing, because the heartbeat states that the peer is not
    /// Active: somebody else's, or a late one.
    public internal(set) var overruled: UInt64 = 0
    private var actions: [ElectionAction] = []

    public init(_ settings: ElectionSettings) {
        var settings = settings
        if Mutant.isOn(.neverYields) { settings.rules.remove(.yieldsToBetterClaim) }
        if Mutant.isOn(.preemptsEmpty) { settings.rules.remove(.waitsForSessions) }
        self.settings = settings
        peer = PeerObservation(heartbeat: settings.heartbeat)
        routers = RouterGroup(settings)
    }

    public var role: VirtualRouter.State { phase.role }

    /// What the peer's heartbeats state; nil where the pair has no cross-connect.
    @inlinable public var monitor: HeartbeatMonitor? { peer.monitor }

    /// Whether the peer's heartbeat is received.
    @inlinable public var receivesHeartbeat: Bool { peer.isAlive }

    /// Whether the box has left the role to its peer, which has not confirmed yet: what it sends from then on arrives at
    /// an Active.
    public var isHandingOver: Bool { if case .handingOver = phase { true } else { false } }

    /// Since when there are two Actives; nil while there is at most one.
    public var dualActiveSince: Instant? { phase.dualActive?.since }

    /// Whether the port of a virtual router has carrier.
    public func isUp(router index: Int) -> Bool { routers.isUp[index] }

    /// The priority that this box claims: its own, less what links that are down take from it (at least 1).
    public var effectivePriority: UInt8 { routers.effectivePriority }

    /// Names this incarnation of the box in its heartbeats.
    var epoch: UInt64 { heartbeat.epoch }

    /// Whether this box knows the pair's sessions.
    public var knowsSessions: Bool { sessions == .pair }

    /// Whether this box has sessions at all: the pair's, or those of a term of its own.
    public var hasSessions: Bool { sessions != .none }

    // MARK: Inputs

    /// Handles one input.
    ///
    /// Each phase lists every input, those that it ignores too.
    @discardableResult
    package mutating func step(_ input: Input, at now: Instant) -> Reply {
        switch phase {
        case .stopped: stepStopped(input, at: now)
        case .starting(let standby, _): stepStarting(input, standby, at: now)
        case .backup(let standby): stepBackup(input, standby, at: now)
        case .grace(let standby, _): stepGrace(input, standby, at: now)
        case .handingOver(let standby, _): stepHandingOver(input, standby, at: now)
        case .active(let term): stepActive(input, term, at: now)
        case .dualActive(let term, let record): stepDualActive(input, term, record, at: now)
        }
    }

    // MARK: Outputs

    /// What is to be done since the last call, in order.
    public mutating func takeActions() -> [ElectionAction] {
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    mutating func act(_ action: ElectionAction) { actions.append(action) }

    mutating func report(_ kind: EventKind, _ details: EventDetails = [:]) {
        actions.append(.report(kind: kind, details: details))
    }

    // MARK: Phases

    /// The only place where a phase ends. A record of two Actives ends with its phase, whatever ends that, and is
    /// reported here.
    mutating func enter(_ next: Phase, at now: Instant, because reason: String) {
        let record = phase.dualActive
        phase = next
        guard let record, next.dualActive == nil else { return }
        report(
            .dualActiveOver,
            [.reason: reason, .milliseconds: String((now - record.since).milliseconds), .role: role.rawValue])
    }

    /// Changes what a Backup carries; its phase stays.
    mutating func update(_ standby: Standby) { phase.standby = standby }

    /// Changes what an Active carries; its phase stays.
    mutating func update(_ term: ActiveTerm) { phase.term = term }

    /// The role is settled: the first time is reported.
    mutating func settle(because reason: String) {
        guard !isReady else { return }
        isReady = true
        report(.ready, [.role: role.rawValue, .reason: reason])
    }
}

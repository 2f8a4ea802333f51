public import LabTime
public import Wire

/// Two boxes that compare a pushed configuration before either puts it into effect.
///
/// ```
///              stage            same digest        peer agreed             peer activated
///   idle ──────────────▶ staged ───────────▶ agreed ───────────▶ added ───────────────────▶ idle   the Backup
///                                            agreed ─────────────────────▶ active ────────▶ idle   the Active
///                          │ other digest      │ peer silent, peer blocked   peer added
///                          ▼                   ▼
///                       blocked             blocked: the old configuration stays in effect
/// ```
/// Additions take effect at the Backup first, deletions at the Active first: the Active never sends state that the
/// Backup does not know the rule of. A Backup that has added and then loses its peer goes on to the new configuration,
/// which both had agreed on; a peer that comes back with the old one follows it.
public struct ConfigurationAgreement: Sendable {
    public struct Settings: Hashable, Sendable {
        /// Between two statements while something is to be agreed on.
        public var interval: Duration
        /// How long a staged configuration waits for the peer's.
        public var timeout: Duration
        /// Bytes of a statement at most.
        public var messageSize: Int

        public init(interval: Duration, timeout: Duration, messageSize: Int) {
            self.interval = interval
            self.timeout = timeout
            self.messageSize = messageSize
        }

        /// A statement every 50 ms; a push waits 2 s for the peer's.
        public static func standard(messageSize: Int) -> Settings {
            Settings(interval: .milliseconds(50), timeout: .seconds(2), messageSize: messageSize)
        }
    }

    /// What the box is to do now, in order.
    public enum Action: Hashable, Sendable {
        case send(ConfigurationStatement)
        /// Put what the candidate adds into effect, beside everything that is.
        case activateAdditions
        /// Put the candidate into effect.
        case activate
        /// Put the configuration before the candidate into effect again.
        case rollBack
        case blocked(BlockReason)
        /// Both boxes have the candidate in effect, or this one alone because its peer is silent.
        case completed
        /// Nothing is pushed, and the peer's configuration is another one.
        case drifted
    }

    public enum BlockReason: Hashable, Sendable {
        /// The peer was given another configuration.
        case different([ConfigurationDifference])
        /// The peer is not heard: there is nobody to compare with.
        case peerSilent
        /// The peer was given nothing in time.
        case peerHasNothing
        /// The peer refused it.
        case peerBlocked
    }

    let settings: Settings
    var phase = Phase.idle
    /// Digest of the configuration in effect, additions aside.
    public internal(set) var running: UInt64
    public private(set) var isActive = false
    public private(set) var receivesFromPeer = false
    var peer: AgreementPeer
    var sender: AgreementSender
    var actions: [Action] = []

    /// - Parameters:
    ///   - running: the configuration that the box begins with
    ///   - epoch: grows with each start of the box
    ///   - isAuthenticated: whether the caller has checked who a statement is from
    public init(_ settings: Settings, running: [ConfigurationItem], epoch: UInt64, isAuthenticated: Bool = true) {
        self.settings = settings
        self.running = ConfigurationDigest.of(running)
        peer = AgreementPeer(isAuthenticated: isAuthenticated)
        sender = AgreementSender(epoch: epoch)
    }

    /// What is to be done; call after every other call.
    public mutating func takeActions() -> [Action] {
        if actions.isEmpty { return [] }
        defer { actions.removeAll() }
        return actions
    }

    /// As its statements name what becomes of the pushed configuration.
    public var stage: ConfigurationStatement.Stage { phase.stage }

    /// Whether a push is under way.
    public var isOpen: Bool { stage.isOpen }

    /// Whether a candidate that was blocked here may still come into effect, because the peer went on to it.
    public var mayFollow: Bool { stage == .blocked }

    // MARK: Inputs

    /// Handles one input.
    /// - Returns: whether it has a meaning in this phase
    @discardableResult
    mutating func step(_ input: Input, at now: Instant) -> Bool {
        switch input {
        case .pushed(let items):
            switch phase {
            case .idle, .blocked:
                sender.beginTransaction()
                phase = .staged(Candidate(items), until: now + settings.timeout)
                proceed(at: now)
                sendStatement(at: now)
            case .staged, .agreed, .added, .active:
                return false
            }
        case .changed(let items):
            running = ConfigurationDigest.of(items)
            switch phase {
            // What was blocked before belongs to another configuration now.
            case .blocked: phase = .idle
            case .idle, .staged, .agreed, .added, .active: break
            }
            if receivesFromPeer { sendStatement(at: now) }
        case .role(let isActive):
            guard self.isActive != isActive else { return false }
            self.isActive = isActive
            proceed(at: now)
        case .reception(let receives):
            guard receivesFromPeer != receives else { return false }
            receivesFromPeer = receives
            proceed(at: now)
            if receives { sendStatement(at: now) }
        case .statement(let statement):
            guard let isNew = peer.receive(statement) else { return false }
            let before = (stage, running)
            proceed(at: now)
            // Whoever waits is answered, also by a box for which all is over. What a box stated while its incarnation
            // was not known here is lost, and it may have nothing more to send.
            let waits = statement.stage.isOpen && !isOpen
            if before != (stage, running) || waits || isNew { sendStatement(at: now) }
        case .due(.timeout):
            switch phase {
            case .staged(let candidate, _):
                block(candidate, peer.latest?.stage == .blocked ? .peerBlocked : .peerHasNothing, at: now)
            case .agreed(let candidate, _):
                block(candidate, .peerBlocked, at: now)
            case .idle, .added, .active, .blocked:
                return false
            }
        case .due(.statement):
            switch phase {
            case .staged, .agreed, .added, .active: sendStatement(at: now)
            case .idle, .blocked: return false
            }
        }
        return true
    }

    /// A new configuration was pushed to this box, and is to be compared.
    /// - Returns: false while another push is under way
    public mutating func stage(_ items: [ConfigurationItem], at now: Instant) -> Bool {
        step(.pushed(items), at: now)
    }

    /// The configuration in effect was changed without agreement.
    public mutating func changed(running items: [ConfigurationItem], at now: Instant) {
        step(.changed(running: items), at: now)
    }

    public mutating func setRole(isActive: Bool, at now: Instant) { step(.role(isActive: isActive), at: now) }

    public mutating func setReceivesFromPeer(_ receives: Bool, at now: Instant) { step(.reception(receives), at: now) }

    public mutating func receive(_ statement: ConfigurationStatement, at now: Instant) {
        step(.statement(statement), at: now)
    }

    // MARK: Timers

    /// Asked for each batch of frames: without an array.
    public var deadline: Instant? {
        var earliest: Instant?
        for timer in Self.timers {
            if let due = deadline(of: timer) { earliest = min(earliest ?? due, due) }
        }
        return earliest
    }

    private static let timers = Timer.allCases

    public mutating func advance(to now: Instant) {
        for timer in Self.timers {
            if let due = deadline(of: timer), due <= now { step(.due(timer), at: now) }
        }
    }

    private func deadline(of timer: Timer) -> Instant? {
        switch timer {
        case .timeout: phase.timeout
        case .statement: sender.dueAt
        }
    }
}

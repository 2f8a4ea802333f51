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

    /// What is known of the peer.
    struct Peer: Sendable {
        var epoch: UInt64 = 0
        var sequence: UInt64 = 0
        var stage = ConfigurationStatement.Stage.idle
        var transaction: UInt32 = 0
        var answers: UInt32 = 0
        var running: UInt64 = 0
        var candidate: UInt64 = 0
        var items = CollectedItems()
    }

    let settings: Settings
    let epoch: UInt64
    /// Whether statements are the peer's for certain.
    let isAuthenticated: Bool
    /// The last statement that was numbered too low, and how many such came in a row.
    private var stray: (sequence: UInt64, count: Int) = (0, 0)
    public internal(set) var stage = ConfigurationStatement.Stage.idle
    /// Digest of the configuration in effect, additions aside.
    public internal(set) var running: UInt64
    var candidate: [ConfigurationItem] = []
    var candidateDigest: UInt64 = 0
    var transaction: UInt32 = 0
    var sequence: UInt64 = 0
    /// The peer's push with which this box is done, one way or the other; its next one is another matter.
    var settled: UInt32 = 0
    public private(set) var isActive = false
    public private(set) var receivesFromPeer = false
    var peer: Peer?
    var reportedDrift: UInt64 = 0
    var stagedAt = Instant(nanoseconds: 0)
    var sendAt: Instant?
    var actions: [Action] = []

    /// - Parameters:
    ///   - running: the configuration that the box begins with
    ///   - epoch: grows with each start of the box
    ///   - isAuthenticated: whether the caller has checked who a statement is from
    public init(_ settings: Settings, running: [ConfigurationItem], epoch: UInt64, isAuthenticated: Bool = true) {
        self.isAuthenticated = isAuthenticated
        self.settings = settings
        self.epoch = epoch
        self.running = ConfigurationDigest.of(running)
    }

    /// What is to be done; call after every other call.
    public mutating func takeActions() -> [Action] {
        if actions.isEmpty { return [] }
        defer { actions.removeAll() }
        return actions
    }

    /// Whether a push is under way.
    public var isOpen: Bool { [.staged, .agreed, .added, .active].contains(stage) }

    /// Whether a candidate that was blocked here may still come into effect, because the peer went on to it.
    public var mayFollow: Bool { stage == .blocked }

    // MARK: What happens

    /// A new configuration was pushed to this box, and is to be compared.
    /// - Returns: false while another push is under way
    public mutating func stage(_ items: [ConfigurationItem], at now: Instant) -> Bool {
        guard !isOpen else { return false }
        candidate = items
        candidateDigest = ConfigurationDigest.of(items)
        transaction &+= 1
        stage = .staged
        stagedAt = now
        proceed(at: now)
        sendStatement(at: now)
        return true
    }

    /// The configuration in effect was changed without agreement.
    public mutating func changed(running items: [ConfigurationItem], at now: Instant) {
        running = ConfigurationDigest.of(items)
        // What was blocked before belongs to another configuration now.
        if stage == .blocked { stage = .idle }
        if receivesFromPeer { sendStatement(at: now) }
    }

    public mutating func setRole(isActive: Bool, at now: Instant) {
        guard self.isActive != isActive else { return }
        self.isActive = isActive
        proceed(at: now)
    }

    public mutating func setReceivesFromPeer(_ receives: Bool, at now: Instant) {
        guard receivesFromPeer != receives else { return }
        receivesFromPeer = receives
        proceed(at: now)
        if receives { sendStatement(at: now) }
    }

    public mutating func receive(_ statement: ConfigurationStatement, at now: Instant) {
        var known = peer ?? Peer()
        let isNew = statement.epoch != known.epoch
        if isNew {
            guard statement.epoch > known.epoch || !isAuthenticated else { return }
            known = Peer(epoch: statement.epoch)
            settled = 0
        }
        guard statement.sequence > known.sequence || isInRow(statement) else { return }
        stray = (0, 0)
        known.sequence = statement.sequence
        known.stage = statement.stage
        known.transaction = statement.transaction
        known.answers = statement.answers
        known.running = statement.running
        if statement.candidate != known.candidate { known.items = CollectedItems() }
        known.candidate = statement.candidate
        known.items.add(statement)
        peer = known
        let before = (stage, running)
        proceed(at: now)
        // Whoever waits is answered, also by a box for which all is over.
        let waits = [.staged, .agreed, .added, .active].contains(statement.stage)
        // What it said while its life was not known here is lost, and it may have nothing more to say.
        if before != (stage, running) || (waits && !isOpen) || isNew { sendStatement(at: now) }
    }

    /// Whether statements that are numbered lower than one before come in a row. Without a key that one may have been
    /// somebody else's.
    private mutating func isInRow(_ statement: ConfigurationStatement) -> Bool {
        guard !isAuthenticated else { return false }
        stray = (statement.sequence, statement.sequence > stray.sequence ? stray.count + 1 : 1)
        return stray.count >= 3
    }

    public var deadline: Instant? {
        guard stage == .staged || stage == .agreed else { return sendAt }
        let end = stagedAt + settings.timeout
        return sendAt.map { min($0, end) } ?? end
    }

    public mutating func advance(to now: Instant) {
        if stage == .staged || stage == .agreed, now >= stagedAt + settings.timeout {
            block(stage == .staged && peer?.stage != .blocked ? .peerHasNothing : .peerBlocked, at: now)
        }
        if let due = sendAt, due <= now { sendStatement(at: now) }
    }
}

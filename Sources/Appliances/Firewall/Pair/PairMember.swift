public import Dataplane
public import LabTime
import Mutants
import Redundancy
public import Wire

/// A firewall as one of a pair: what it knows of its peer, and what its peer is to know. A lone firewall has none.
///
/// | part | decides |
/// |---|---|
/// | `election` | which box is Active |
/// | `journal` | which sessions the peer does not know yet |
/// | `channel` | which messages carry them, and which of these arrived |
/// | `link` | how messages reach the peer; nil without a cross-connect |
/// | `deferred` | which packets wait until the peer knows their session |
/// | `announcements` | when the virtual addresses are announced again |
@usableFromInline
package struct PairMember: ~Copyable {
    let settings: PairSettings
    var election: Election
    var journal: SessionJournal<IPv4>
    var channel: SyncChannel
    var link: PeerLink?
    var deferred: DeferredPackets
    var announcements = Announcements()
    var tally = PairTally()
    /// This box lost the role to a rival, which has not received its sessions yet.
    private var hasPendingSync = false
    /// When a boot epoch of the peer that does not count yet was last answered.
    private var answeredAt: Instant?

    /// - Parameter sessionCapacity: of the session engine
    init(_ settings: PairSettings, sessionCapacity: Int) {
        self.settings = settings
        election = Election(settings.election)
        journal = SessionJournal<IPv4>(capacity: sessionCapacity)
        channel = SyncChannel(
            messageSize: settings.crossConnect?.messageSize ?? 256,
            sender: settings.crossConnect?.ownAddress.rawValue ?? 1,
            heartbeatInterval: settings.heartbeatInterval, key: settings.key,
            coalescing: settings.deferral == nil ? .milliseconds(1) : .zero,
            window: settings.crossConnect == nil ? 1 : 64, rules: settings.election.rules)
        if let cross = settings.crossConnect { link = PeerLink(cross, key: settings.key) } else { link = nil }
        deferred = DeferredPackets(
            bound: settings.deferral ?? .zero,
            capacity: settings.deferral == nil ? 0 : DeferredPackets.standardCapacity)
    }

    /// Whether transit traffic that comes here passes at the peer: it is Active, or was just left the role.
    // Mutating, so that the part is not copied out of its Optional for a frame.
    var isPeerForwarding: Bool {
        mutating get {
            election.receivesHeartbeat && (election.monitor?.statement?.role == .active || election.isHandingOver)
        }
    }

    var receivesHeartbeat: Bool { mutating get { election.receivesHeartbeat } }

    /// Whether the peer has consumed every record of every session.
    var isPeerUpToDate: Bool { election.receivesHeartbeat && !channel.hasUnacknowledged && !journal.hasRecords }

    /// Asked for each batch of frames: without an array.
    var deadline: Instant? {
        var next = election.deadline
        func consider(_ candidate: Instant?) {
            if let candidate, next.map({ candidate < $0 }) ?? true { next = candidate }
        }
        consider(channel.deadline)
        consider(announcements.dueAt)
        consider(deferred.deadline)
        return next
    }

    // MARK: Messages to the peer

    /// Sends what the peer is to know: acknowledgements, new records, and again what it did not acknowledge.
    /// - Parameter isUrgent: records do not wait until a message is full
    mutating func flush(
        _ filter: borrowing SessionEngine<IPv4>, isUrgent: Bool = false, by ports: inout BoxPorts, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard settings.crossConnect != nil else { return }
        while let message = channel.nextOverdue(at: now) {
            tally.count(.recordsResent, times: message.records)
            link?.send(message.bytes, by: &ports, at: now, into: &output)
        }
        while let message = channel.nextMessage(from: &journal, of: filter, isUrgent: isUrgent, at: now) {
            tally.count(.recordsSent, times: message.records)
            link?.send(message.bytes, by: &ports, at: now, into: &output)
        }
        if let message = channel.nextAcknowledgement() { link?.send(message, by: &ports, at: now, into: &output) }
    }

    mutating func send(
        _ statement: PairStatement, sessions: Int, by ports: inout BoxPorts, at now: Instant,
        into output: inout FrameQueue
    ) {
        link?.send(channel.heartbeat(statement, sessions: sessions), by: &ports, at: now, into: &output)
        tally.count(.heartbeatSent)
    }

    // MARK: The peer

    /// The peer's heartbeat came (back): a new stream begins, with the sessions that the peer is to know.
    mutating func peerAppeared(restarted: Bool, isForwarding: Bool, at now: Instant) {
        channel.restart(for: election.monitor?.statement?.epoch ?? 0, at: now)
        journal.discardRecords()
        journal.endOwnResync()
        journal.confirmAll()
        if isForwarding {
            let isFull = settings.election.rules.contains(.tellsEverything) && !Mutant.isOn(.noBulkTransfer)
            recordSessions(fromNowOn: !isFull, at: now)
        } else if hasPendingSync || restarted && election.hasSessions {
            // A rival, or a peer that started anew and took the role where it could not receive them.
            resyncOwnSessions()
        }
    }

    /// The peer's heartbeat stopped: nothing can be sent to it, and nobody waits for it.
    mutating func peerLost() {
        channel.stop()
        journal.endRecording()
        journal.discardRecords()
        journal.isDeferring = false
    }

    /// - Parameter fromNowOn: the peer knows the sessions that exist already
    private mutating func recordSessions(fromNowOn: Bool, at now: Instant) {
        election.resync(isUnderWay: !fromNowOn, at: now)
        if fromNowOn { journal.continueRecording() } else { journal.beginRecording() }
        if !settings.election.rules.contains(.notesSessions) || Mutant.isOn(.noSessionSync) { journal.endRecording() }
        if settings.deferral != nil { journal.isDeferring = true }
    }

    /// Sends the sessions of this box once.
    private mutating func resyncOwnSessions() {
        hasPendingSync = false
        journal.beginOwnResync()
    }

    /// Somebody claims a later boot epoch of the peer, which is answered.
    /// - Returns: whether it is now: once in half an interval, so that a peer that started anew receives this box, and
    ///   nobody can make it send more
    mutating func answers(unconfirmed epoch: UInt64, at now: Instant) -> Bool {
        tally.count(.unconfirmedEpoch)
        guard answeredAt.map({ now - $0 >= settings.heartbeatInterval / 2 }) ?? true else { return false }
        answeredAt = now
        channel.answer(epoch)
        return true
    }

    // MARK: Roles

    /// This box is Active now. It first applies all that it has of the peer's stream.
    mutating func beginForwarding(_ filter: inout SessionEngine<IPv4>, at now: Instant) {
        if settings.election.rules.contains(.commitsFirst) {
            tally.count(.recordsApplied, times: channel.commit(into: &filter, &journal, at: now))
        }
        hasPendingSync = false
        journal.beginTerm()
    }

    /// The addresses are this box's: from now on the peer receives its sessions.
    mutating func recordTerm(at now: Instant) {
        guard election.receivesHeartbeat else { return }
        // A predecessor that handed over has what this box has, unless records of an earlier term still wait here; a peer
        // that just started has nothing.
        let isPredecessor = election.monitor?.statement?.flags.contains(.knowsSessions) == true
        recordSessions(fromNowOn: isPredecessor && !journal.hasRecords, at: now)
    }

    /// This box is no longer Active: nothing is announced, recorded or deferred.
    mutating func endForwarding() {
        announcements.end()
        journal.endRecording()
        journal.isDeferring = false
    }

    /// The role was lost, not handed over: the rival that stays Active gets the sessions that passed here alone.
    mutating func loseRole() {
        journal.discardRecords()
        hasPendingSync = true
        if election.receivesHeartbeat { resyncOwnSessions() }
    }
}

/// The session engine reports to the journal of the pair; a lone firewall has none.
extension Optional: SessionObserver where Wrapped == PairMember {
    @usableFromInline package typealias Family = IPv4

    @usableFromInline
    package mutating func sessionOpened(_ index: FlowIndex, isBlocked: Bool, at now: Instant) {
        self?.journal.sessionOpened(index, isBlocked: isBlocked, at: now)
    }

    @usableFromInline
    package mutating func sessionChanged(_ index: FlowIndex, _ change: SessionChange, at now: Instant) {
        self?.journal.sessionChanged(index, change, at: now)
    }

    @usableFromInline
    package mutating func sessionEnded(_ flow: FiveTuple) { self?.journal.sessionEnded(flow) }
}

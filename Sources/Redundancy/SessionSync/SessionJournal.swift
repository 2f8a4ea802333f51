public import Dataplane
public import LabTime
public import Wire

/// Which sessions of a box its peer is to know, and does not know yet; and which of them the peer's own records have
/// mentioned.
///
/// The journal follows its store as a `SessionObserver` from the first session on. Sessions and pinholes stay in the
/// store; here each place has a mark (`SessionMark`, `PinholeMark`).
///
/// | | decides |
/// |---|---|
/// | dirty queue | which records are sent next |
/// | bulk transfer | which sessions a full resync has still to send |
/// | generation | which sessions the peer's full resync did not mention: they end |
/// | term | which pinholes are newer than the peer's late records |
/// | deferral round | whose packets wait until the peer has the record |
@usableFromInline
package struct SessionJournal<Family: AddressFamily>: ~Copyable {
    @usableFromInline var sessions: PlaceMarks<SessionMark>
    @usableFromInline var pinholes: PlaceMarks<PinholeMark>
    @usableFromInline var queue: DirtyQueue<Family>
    @usableFromInline var bulk = BulkTransfer()
    /// A session of which more is to be sent than its last record held.
    @usableFromInline var followUp: (index: FlowIndex, flow: FlowKey<Family>, dirtyParts: DirtyParts)?
    /// Whether changes are marked dirty for the peer.
    @usableFromInline package internal(set) var isRecording = false
    @usableFromInline var reception = BulkReception()
    /// Counts the times that this box became Active, from 1.
    @usableFromInline var term: UInt32 = 1
    @usableFromInline var deferral = Deferral()
    /// Records of the peer whose rule this box does not have, or which denies here.
    @usableFromInline package internal(set) var unknownRules: UInt64 = 0

    /// - Parameter capacity: of the store; 0: nothing is replicated
    package init(capacity: Int) {
        sessions = PlaceMarks(capacity: capacity)
        pinholes = PlaceMarks(capacity: ApplicationGateways<Family>.places(capacity))
        queue = DirtyQueue(capacity: min(capacity, 1 << 16))
    }

    // MARK: Recording

    /// From now on every session and every change is sent to the peer, beginning with all that exist.
    @inlinable
    package mutating func beginRecording() {
        isRecording = true
        beginFullResync()
    }

    /// From now on changes are recorded; the peer knows the sessions that exist already.
    @inlinable
    package mutating func continueRecording() {
        discardRecords()
        isRecording = true
    }

    /// Nothing more is recorded; what was recorded can still be handed out.
    @inlinable package mutating func endRecording() { isRecording = false }

    /// Forgets what was recorded: no peer could receive it.
    @inlinable
    package mutating func discardRecords() {
        bulk.phase = .idle
        followUp = nil
        queue.removeAll()
    }

    /// Every session is handed out once.
    @inlinable
    mutating func beginFullResync() {
        queue.removeAll()
        followUp = nil
        bulk.phase = .pending
    }

    // MARK: Terms

    /// The box became Active: what it opens from now on, the peer does not know.
    @inlinable
    package mutating func beginTerm() {
        term &+= 1
        endOwnResync()
        reception.becomePartial()
    }

    /// A box that lost the role on its own sends its sessions once, and nothing that changes afterwards: the rival does
    /// not know what passed here alone.
    @inlinable
    package mutating func beginOwnResync() {
        reception.isResyncingOwn = true
        reception.becomePartial()
        beginFullResync()
    }

    /// What was sent before, the peer has sent back or lost with its restart: its next transfer names every session.
    @inlinable package mutating func endOwnResync() { reception.isResyncingOwn = false }

    // MARK: Dirty sessions

    @inlinable
    mutating func markDirty(_ index: FlowIndex, _ parts: DirtyParts, at now: Instant) {
        if parts == .state { sessions[index].markedAt = now.nanoseconds }
        guard sessions[index].queuedInRound != queue.round else {
            sessions[index].dirtyParts.formUnion(parts)
            return
        }
        sessions[index].dirtyParts = parts
        if queue.append(index) { sessions[index].queuedInRound = queue.round }
    }
}

// What a store reports, packet by packet.
extension SessionJournal: SessionObserver {
    @inlinable
    package mutating func sessionOpened(_ index: FlowIndex, isBlocked: Bool, at now: Instant) {
        guard sessions.has(index) else { return }
        var mark = SessionMark()
        if deferral.isOn { mark.awaitedInRound = deferral.round }
        sessions[index] = mark
        if isRecording, !isBlocked { markDirty(index, .state, at: now) }
    }

    @inlinable
    package mutating func sessionChanged(_ index: FlowIndex, _ change: SessionChange, at now: Instant) {
        if case .announcement(let place) = change, pinholes.has(place) {
            pinholes[place] = PinholeMark(generation: reception.generation, term: term)
        }
        guard isRecording, sessions.has(index) else { return }
        switch change {
        case .state: markDirty(index, .state, at: now)
        case .refreshed(let lifetime):
            // A session in use is sent often enough that it does not expire at the peer.
            if sessions[index].markedAt < now.nanoseconds &- lifetime.nanoseconds / 4 {
                markDirty(index, .state, at: now)
            }
        case .application: markDirty(index, .metadata, at: now)
        case .announcement:
            markDirty(index, .pinhole, at: now)
            guard deferral.isOn else { return }
            // The announcement waits until the peer can keep its promise.
            sessions[index].awaitedInRound = deferral.round
            sessions[index].message = 0
        }
    }

    @inlinable
    package mutating func sessionEnded(_ flow: FlowKey<Family>) {
        if isRecording { queue.appendRemoval(flow) }
    }
}

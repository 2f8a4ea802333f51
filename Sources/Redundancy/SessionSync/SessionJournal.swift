package import Dataplane
package import LabTime
package import Wire

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
package struct SessionJournal: ~Copyable {
    var sessions: PlaceMarks<SessionMark>
    var pinholes: PlaceMarks<PinholeMark>
    var queue: DirtyQueue
    var bulk = BulkTransfer()
    /// A session of which more is to be sent than its last record held.
    var followUp: (index: FlowIndex, flow: FiveTuple, dirtyParts: DirtyParts)?
    /// Whether changes are marked dirty for the peer.
    package private(set) var isRecording = false
    var reception = BulkReception()
    /// Counts the times that this box became Active, from 1.
    private(set) var term: UInt32 = 1
    @usableFromInline var deferral = Deferral()
    /// Records of the peer whose rule this box does not have, or which denies here.
    package internal(set) var unknownRules: UInt64 = 0

    /// - Parameter capacity: of the store; 0: nothing is replicated
    package init(capacity: Int) {
        sessions = PlaceMarks(capacity: capacity)
        pinholes = PlaceMarks(capacity: ApplicationGateways.places(capacity))
        queue = DirtyQueue(capacity: min(capacity, 1 << 16))
    }

    // MARK: Recording

    /// From now on every session and every change is sent to the peer, beginning with all that exist.
    package mutating func beginRecording() {
        isRecording = true
        beginFullResync()
    }

    /// From now on changes are recorded; the peer knows the sessions that exist already.
    package mutating func continueRecording() {
        discardRecords()
        isRecording = true
    }

    /// Nothing more is recorded; what was recorded can still be handed out.
    package mutating func endRecording() { isRecording = false }

    /// Forgets what was recorded: no peer could receive it.
    package mutating func discardRecords() {
        bulk.phase = .idle
        followUp = nil
        queue.removeAll()
    }

    /// Every session is handed out once.
    mutating func beginFullResync() {
        queue.removeAll()
        followUp = nil
        bulk.phase = .pending
    }

    // MARK: Terms

    /// The box became Active: what it opens from now on, the peer does not know.
    package mutating func beginTerm() {
        term &+= 1
        endOwnResync()
        reception.becomePartial()
    }

    /// A box that lost the role on its own sends its sessions once, and nothing that changes afterwards: the rival does
    /// not know what passed here alone.
    package mutating func beginOwnResync() {
        reception.isResyncingOwn = true
        reception.becomePartial()
        beginFullResync()
    }

    /// What was sent before, the peer has sent back or lost with its restart: its next transfer names every session.
    package mutating func endOwnResync() { reception.isResyncingOwn = false }

    // MARK: Dirty sessions

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
    package mutating func sessionOpened(_ index: FlowIndex, isBlocked: Bool, at now: Instant) {
        guard sessions.has(index) else { return }
        var mark = SessionMark()
        if deferral.isOn { mark.awaitedInRound = deferral.round }
        sessions[index] = mark
        if isRecording, !isBlocked { markDirty(index, .state, at: now) }
    }

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

    package mutating func sessionEnded(_ flow: FiveTuple) {
        if isRecording { queue.appendRemoval(flow) }
    }
}

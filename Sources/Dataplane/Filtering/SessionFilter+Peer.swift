public import LabTime
public import Wire

/// Where a transfer of all sessions stands.
struct BulkTransfer {
    var isRunning = false
    var isAnnounced = false
    /// The session that was handed out last; nil at the beginning.
    var last: FlowIndex?
}

extension SessionFilter {
    // MARK: The Active's half

    /// From now on every session and every change is noted for the peer, beginning with all that exist.
    public mutating func beginRecording() {
        isRecording = true
        sendEverything()
    }

    /// Every session is handed out once, and nothing that changes afterwards: what a box that lost the role on its own
    /// may know and its peer may not.
    public mutating func sendEverything() {
        changes.removeAll()
        bulk = BulkTransfer(isRunning: true, isAnnounced: false, last: nil)
    }

    /// From now on changes are noted; the peer knows the sessions that exist already.
    public mutating func continueRecording() {
        changes.removeAll()
        isRecording = true
        bulk = BulkTransfer()
    }

    /// Nothing more is noted; what was noted can still be handed out.
    public mutating func endRecording() { isRecording = false }

    /// Forgets what was noted: there is no peer that could be told.
    public mutating func discardRecords() {
        bulk = BulkTransfer()
        changes.removeAll()
    }

    /// Whether the transfer of all sessions is under way.
    public var isSendingBulk: Bool { bulk.isRunning }

    /// Whether `nextRecord` has something.
    public var hasRecords: Bool { bulk.isRunning || !changes.isEmpty || changes.overflowed }

    /// The next record for the peer; changes come before what the bulk transfer has still to send.
    /// - Returns: nil where there is none
    public mutating func nextRecord(at now: Instant) -> NextSessionRecord? {
        if changes.overflowed { sendEverything() }
        if bulk.isRunning, !bulk.isAnnounced {
            bulk.isAnnounced = true
            return .bulkBegins
        }
        while let flow = changes.nextRemoval() {
            // Opened again since: that session's own record tells the peer.
            if let match = table.find(flow), match.direction == .original { continue }
            return .record(SessionRecord(operation: .delete, flow: flow, originatorState: 0, responderState: 0))
        }
        while let index = changes.nextIndex() {
            guard table.contains(index), table[index].queuedInRound == changes.round else { continue }
            table[index].queuedInRound = 0
            return .record(record(of: index, at: now))
        }
        guard bulk.isRunning else { return nil }
        repeat { bulk.last = table.next(after: bulk.last) } while bulk.last.map { table[$0].isBlocked } == true
        guard let index = bulk.last else {
            bulk = BulkTransfer()
            return .bulkEnds
        }
        table[index].toldAt = now.nanoseconds
        return .record(record(of: index, at: now))
    }

    private func record(of index: FlowIndex, at now: Instant) -> SessionRecord {
        let state = table[index].state
        let remaining = (table.expiry(of: index) - now).nanoseconds / 1_000_000
        var record = SessionRecord(
            operation: .update, flow: table.original(of: index), originatorState: state.original.rawValue,
            responderState: state.reply.rawValue, flags: state.reply == .closed ? [] : .answered,
            remainingMilliseconds: UInt32(clamping: max(0, remaining)))
        record.outgoing = outgoing(of: index, arrivedAs: record.flow)
        return record
    }

    // MARK: The Backup's half

    /// Applies what the peer says of a session.
    /// - Parameter onlyNew: true for a box that is Active itself: a late record of its predecessor may add a session
    ///   but changes none that has moved on here
    /// - Returns: false where the table is full and the session is not known here
    @discardableResult
    public mutating func apply(_ record: SessionRecord, onlyNew: Bool = false, at now: Instant) -> Bool {
        let match = table.find(record.flow)
        if onlyNew, match != nil || record.operation == .delete { return true }
        guard record.operation != .delete else {
            if let match { discard(match.index) }
            return true
        }
        guard let state = record.sessionState else { return true }
        let timeout = timers.timeout(of: state, protocol: record.flow.protocol)
        let expires = now + min(timeout, record.remaining)
        let outgoing = record.outgoing
        if let match {
            if match.direction == .original, self.outgoing(of: match.index, arrivedAs: record.flow) == outgoing {
                table[match.index].state = state
                table[match.index].generation = receivedGeneration
                table.keep(match.index, until: expires, now: now)
                return true
            }
            // Opened from the other side since, or again with another mapping.
            discard(match.index)
        }
        // Of a session that has ended at the peer, which this box has not heard.
        if !onlyNew, let stale = table.find(outgoing.reversed) { discard(stale.index) }
        var session = Session(state: state)
        session.generation = receivedGeneration
        guard adoptMappings(of: record, &session, evicts: !onlyNew, at: now) else {
            abandon(session)
            return false
        }
        switch table.insert(
            original: record.flow, reply: outgoing.reversed, value: session, expires: expires, now: now)
        {
        case .inserted(let index):
            use(session, of: record.flow, at: now)
            // Only an Active records: what it learns from a rival that yielded, that one is to keep.
            if isRecording { note(index, at: now) }
            return true
        case .conflict:
            abandon(session)
            return true
        case .full:
            abandon(session)
            return false
        }
    }

    /// The peer begins to send all of its sessions.
    public mutating func beginReceivingBulk() { receivedGeneration &+= 1 }

    /// The peer has sent all of its sessions: what it did not mention is no session of the pair. A box that is telling
    /// the peer of its own keeps them all.
    /// - Returns: how many were removed
    @discardableResult
    public mutating func endReceivingBulk() -> Int {
        guard !bulk.isRunning else { return 0 }
        var removed = 0
        var index = table.next(after: nil)
        while let place = index {
            if table[place].generation != receivedGeneration {
                discard(place)
                removed += 1
            }
            index = table.next(after: place)
        }
        return removed
    }
}

/// What `SessionFilter.nextRecord` hands out.
public enum NextSessionRecord: Hashable, Sendable {
    case record(SessionRecord)
    /// Every session of the box follows, between changes.
    case bulkBegins
    /// Every session was handed out.
    case bulkEnds
}

extension SessionRecord {
    /// The states of both sides; nil where a number is none of this filter's.
    public var sessionState: SessionState? {
        guard let original = SideState(rawValue: originatorState), let reply = SideState(rawValue: responderState)
        else {
            return nil
        }
        return SessionState(original: original, reply: reply)
    }
}

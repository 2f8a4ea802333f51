public import LabTime
import Mutants
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
        followUp = nil
        bulk = BulkTransfer(isRunning: true, isAnnounced: false, last: nil)
    }

    /// A box that lost the role tells the rival what passed here alone; see `sendEverything`.
    public mutating func tellOwnSessions() {
        tellsOwn = true
        keepUnmentioned()
        sendEverything()
    }

    /// What was told of before, the peer has told back or lost with its life: its next transfer names every session.
    public mutating func endTellingOwn() { tellsOwn = false }

    /// The box became Active: what it opens from now on, the peer does not know.
    public mutating func becomeActive() {
        activeTurn &+= 1
        endTellingOwn()
        keepUnmentioned()
    }

    /// From now on changes are noted; the peer knows the sessions that exist already.
    public mutating func continueRecording() {
        discardRecords()
        isRecording = true
    }

    /// Nothing more is noted; what was noted can still be handed out.
    public mutating func endRecording() { isRecording = false }

    /// Forgets what was noted: there is no peer that could be told.
    public mutating func discardRecords() {
        bulk = BulkTransfer()
        followUp = nil
        changes.removeAll()
    }

    /// Whether the transfer of all sessions is under way.
    public var isSendingBulk: Bool { bulk.isRunning }

    /// Whether `nextRecord` has something.
    public var hasRecords: Bool { bulk.isRunning || !changes.isEmpty || changes.overflowed || followUp != nil }

    /// Records that are noted, at most: what a bulk transfer has still to send counts as endless.
    public var noted: Int { bulk.isRunning || changes.overflowed ? .max : changes.count }

    /// The next record for the peer; changes come before what the bulk transfer has still to send.
    /// - Parameter message: the number of the message that the record goes into
    /// - Returns: nil where there is none
    public mutating func nextRecord(at now: Instant, for message: UInt64 = 0) -> NextSessionRecord? {
        if changes.overflowed { sendEverything() }
        if let next = followUp {
            followUp = nil
            if table.contains(next.index), table.original(of: next.index) == next.flow,
                let record = part(of: next.index, next.dirtyParts, for: message, at: now)
            {
                return .record(record)
            }
        }
        if bulk.isRunning, !bulk.isAnnounced {
            bulk.isAnnounced = true
            return .bulkBegins
        }
        while let flow = changes.nextRemoval() {
            // Opened again since: that session's own record tells the peer.
            if let match = table.find(flow), match.direction == .original { continue }
            return .record(.removal(flow))
        }
        while let index = changes.nextIndex() {
            guard table.contains(index), table[index].queuedInRound == changes.round else { continue }
            table[index].queuedInRound = 0
            guard let record = part(of: index, table[index].dirtyParts, for: message, at: now) else { continue }
            return .record(record)
        }
        guard bulk.isRunning else { return nil }
        repeat { bulk.last = table.next(after: bulk.last) } while bulk.last.map { table[$0].isBlocked } == true
        guard let index = bulk.last else {
            bulk = BulkTransfer()
            return .bulkEnds
        }
        table[index].toldAt = now.nanoseconds
        var dirtyParts: Session.DirtyParts = .state
        if table[index].isControl { dirtyParts.insert(.pinhole) }
        return part(of: index, dirtyParts, for: message, at: now).map { .record($0) }
    }

    /// The first record of what is to be told of a session; the rest follows.
    /// - Returns: nil where there is nothing to tell any more
    private mutating func part(
        of index: FlowIndex, _ dirtyParts: Session.DirtyParts, for message: UInt64, at now: Instant
    ) -> SyncRecord? {
        var rest = dirtyParts
        let isTold = dirtyParts.contains(.pinhole) && !Mutant.isOn(.tellsNoPinholes)
        let pinhole = isTold ? pinholeRecord(of: index, at: now) : nil
        if pinhole == nil { rest.remove(.pinhole) }
        let result: SyncRecord
        if rest.remove(.state) != nil {
            // What is known of the application stands in the session's own record.
            rest.remove(.metadata)
            // Who waits for the pinhole waits for the message that has it.
            result = record(of: index, for: pinhole == nil ? message : 0, at: now)
        } else if rest.remove(.metadata) != nil {
            result = metadata(of: index)
        } else if let pinhole {
            rest.remove(.pinhole)
            table[index].toldIn = UInt32(truncatingIfNeeded: message)
            result = pinhole
        } else {
            return nil
        }
        if !rest.isEmpty { followUp = (index, table.original(of: index), rest) }
        return result
    }

    private mutating func record(of index: FlowIndex, for message: UInt64, at now: Instant) -> SyncRecord {
        // Zero means that no message has told; that one number in 2³² is skipped costs nothing but a longer wait.
        table[index].toldIn = UInt32(truncatingIfNeeded: message)
        let session = table[index]
        let remaining = (table.expiry(of: index) - now).nanoseconds / 1_000_000
        var record = SessionRecord(
            flow: table.original(of: index), originatorState: session.state.original.rawValue,
            responderState: session.state.reply.rawValue, flags: session.state.reply == .closed ? [] : .answered,
            rule: session.rule.rawValue, remainingMilliseconds: UInt32(clamping: max(0, remaining)))
        if session.isExpected { record.flags.insert(.pinhole) }
        if isOfFormerPool(session) { record.flags.insert(.formerPool) }
        record.outgoing = outgoing(of: index, arrivedAs: record.flow)
        if Mutant.isOn(.tellsWrongMapping) { record.translatedSourcePort ^= 1 }
        if session.application != .unseen {
            record.flags.insert(.inspected)
            record.application = session.application.rawValue
            record.category = session.category
        }
        return .session(record)
    }

    private func metadata(of index: FlowIndex) -> SyncRecord {
        let session = table[index]
        return .metadata(
            MetadataRecord(
                flow: table.original(of: index), application: session.application.rawValue,
                category: session.category, rule: session.rule.rawValue))
    }

    // MARK: The Backup's half

    /// Applies what the peer says of a session.
    /// - Parameter onlyNew: true for a box that is Active itself: a late record of its predecessor may add a session
    ///   but changes none that has moved on here
    /// - Returns: false where the table is full and the session is not known here
    @discardableResult
    public mutating func apply(_ record: SyncRecord, onlyNew: Bool = false, at now: Instant) -> Bool {
        if onlyNew { keepUnmentioned() }
        switch record {
        case .session(let session): return apply(session, onlyNew: onlyNew, at: now)
        case .removal(let flow):
            if !onlyNew, let match = table.find(flow) { discard(match.index) }
            return true
        case .metadata(let metadata):
            apply(metadata)
            return true
        case .pinhole(let pinhole): return apply(pinhole, onlyNew: onlyNew, at: now)
        }
    }

    private mutating func takeOver(applicationOf record: SessionRecord, into index: FlowIndex) {
        guard record.flags.contains(.inspected), let application = Application(rawValue: record.application) else {
            return
        }
        table[index].application = application
        table[index].category = record.category
    }

    private mutating func apply(_ metadata: MetadataRecord) {
        guard let match = table.find(metadata.flow), match.direction == .original,
            let application = Application(rawValue: metadata.application)
        else { return }
        table[match.index].application = application
        table[match.index].category = metadata.category
        table[match.index].rule = RuleIdentity(rawValue: metadata.rule)
    }

    private mutating func apply(_ record: SessionRecord, onlyNew: Bool, at now: Instant) -> Bool {
        let match = table.find(record.flow)
        if onlyNew, match != nil { return true }
        guard let state = record.sessionState else { return true }
        guard allows(RuleIdentity(rawValue: record.rule)) else {
            // A state that this box's own rules would not let come to be.
            unknownRules &+= 1
            if let match { discard(match.index) }
            return false
        }
        let timeout = timers.timeout(of: state, protocol: record.flow.protocol)
        let expires = now + min(timeout, record.remaining)
        let outgoing = record.outgoing
        if let match {
            if match.direction == .original, self.outgoing(of: match.index, arrivedAs: record.flow) == outgoing {
                table[match.index].state = state
                if state.isFinished, table[match.index].isControl { closePinhole(of: record.flow) }
                table[match.index].rule = RuleIdentity(rawValue: record.rule)
                table[match.index].generation = receivedGeneration
                takeOver(applicationOf: record, into: match.index)
                if record.flags.contains(.formerPool) { adoptForeign(match.index, isRetired: true, at: now) }
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
        session.rule = RuleIdentity(rawValue: record.rule)
        session.isControl = isControl(outgoing)
        session.isExpected = record.flags.contains(.pinhole)
        if session.isExpected { closePinhole(usedBy: record.flow) }
        guard adoptMappings(of: record, &session, evicts: !onlyNew, at: now) else {
            abandon(session)
            return false
        }
        switch table.insert(
            original: record.flow, reply: outgoing.reversed, value: session, expires: expires, now: now)
        {
        case .inserted(let index):
            takeOver(applicationOf: record, into: index)
            use(session, of: record.flow, at: now)
            // Only an Active records: what it learns from a rival that yielded, that one is to keep.
            if isRecording { note(index, .state, at: now) }
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
    public mutating func beginReceivingBulk() {
        receivedGeneration &+= 1
        receivesEverything = !tellsOwn
    }

    /// A transfer of the peer's does not name every session of the pair: this box has opened some since it began.
    public mutating func keepUnmentioned() { receivesEverything = false }

    /// The peer has sent all of its sessions: what it did not mention is no session of the pair. A box that was Active
    /// since the transfer began, or has told the peer of its own, keeps them all.
    /// - Returns: how many were removed
    @discardableResult
    public mutating func endReceivingBulk() -> Int {
        guard receivesEverything else { return 0 }
        receivesEverything = false
        var removed = 0
        var index = table.next(after: nil)
        while let place = index {
            if table[place].generation != receivedGeneration {
                discard(place)
                removed += 1
            }
            index = table.next(after: place)
        }
        removePinholesNotMentioned()
        return removed
    }
}

/// What `SessionFilter.nextRecord` hands out.
public enum NextSessionRecord: Hashable, Sendable {
    case record(SyncRecord)
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

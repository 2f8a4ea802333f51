public import Dataplane
public import LabTime
public import Mutants
public import Wire

/// What `SessionJournal.nextRecord` hands out.
@usableFromInline
package enum NextSessionRecord<Family: AddressFamily>: Hashable, Sendable {
    case record(SyncRecord<Family>)
    /// Every session of the box follows, between changes.
    case bulkBegins
    /// Every session was handed out.
    case bulkEnds
}

extension SessionJournal {
    /// Whether the transfer of all sessions is under way.
    @inlinable package var isSendingBulk: Bool { bulk.isRunning }

    /// Whether `nextRecord` has something.
    @inlinable package var hasRecords: Bool { bulk.isRunning || !queue.isEmpty || queue.overflowed || followUp != nil }

    /// Records that wait, at most: what a bulk transfer has still to send counts as endless.
    @inlinable package var pendingCount: Int { bulk.isRunning || queue.overflowed ? .max : queue.count }

    /// The next record for the peer; changes come before what the bulk transfer has still to send.
    /// - Parameter message: the number of the message that the record goes into
    /// - Returns: nil where there is none
    @inlinable
    package mutating func nextRecord<Store: SessionStore & ~Copyable>(
        of store: borrowing Store, at now: Instant, for message: UInt64 = 0
    ) -> NextSessionRecord<Family>?
    where Store.Family == Family {
        if queue.overflowed { beginFullResync() }
        if let next = followUp {
            followUp = nil
            if store.contains(next.index), store.original(of: next.index) == next.flow,
                let record = part(of: next.index, in: store, next.dirtyParts, for: message, at: now)
            {
                return .record(record)
            }
        }
        if case .pending = bulk.phase {
            bulk.phase = .sending(last: nil)
            return .bulkBegins
        }
        if let record = nextDirty(of: store, at: now, for: message) { return .record(record) }
        guard case .sending(let last) = bulk.phase else { return nil }
        return nextOfBulk(after: last, of: store, at: now, for: message)
    }

    @inlinable
    mutating func nextDirty<Store: SessionStore & ~Copyable>(
        of store: borrowing Store, at now: Instant, for message: UInt64
    ) -> SyncRecord<Family>?
    where Store.Family == Family {
        while let flow = queue.nextRemoval() {
            // Opened again since: that session's own record replaces this one.
            if let match = store.find(flow), match.direction == .original { continue }
            return .removal(flow)
        }
        while let index = queue.nextIndex() {
            guard store.contains(index), sessions[index].queuedInRound == queue.round else { continue }
            sessions[index].queuedInRound = 0
            if let record = part(of: index, in: store, sessions[index].dirtyParts, for: message, at: now) {
                return record
            }
        }
        return nil
    }

    @inlinable
    mutating func nextOfBulk<Store: SessionStore & ~Copyable>(
        after last: FlowIndex?, of store: borrowing Store, at now: Instant, for message: UInt64
    ) -> NextSessionRecord<Family>?
    where Store.Family == Family {
        var next = store.next(after: last)
        while let index = next, !store.isReplicated(index) { next = store.next(after: index) }
        guard let index = next else {
            bulk.phase = .idle
            return .bulkEnds
        }
        bulk.phase = .sending(last: index)
        sessions[index].markedAt = now.nanoseconds
        return part(of: index, in: store, [.state, .pinhole], for: message, at: now).map { .record($0) }
    }

    /// The first record of what is to be sent of a session; the rest follows.
    /// - Returns: nil where there is nothing to send any more
    @inlinable
    mutating func part<Store: SessionStore & ~Copyable>(
        of index: FlowIndex, in store: borrowing Store, _ dirtyParts: DirtyParts, for message: UInt64, at now: Instant
    ) -> SyncRecord<Family>?
    where Store.Family == Family {
        var rest = dirtyParts
        let sendsPinhole = dirtyParts.contains(.pinhole) && !Mutant.isOn(.tellsNoPinholes)
        let pinhole = sendsPinhole ? store.pinholeRecord(of: index, at: now) : nil
        if pinhole == nil { rest.remove(.pinhole) }
        let result: SyncRecord<Family>
        if rest.remove(.state) != nil {
            // What is known of the application stands in the session's own record.
            rest.remove(.metadata)
            // Who waits for the pinhole waits for the message that has it.
            // Zero means none; that one number in 2³² is skipped costs nothing but a longer wait.
            sessions[index].message = pinhole == nil ? UInt32(truncatingIfNeeded: message) : 0
            result = .session(store.record(of: index, at: now))
        } else if rest.remove(.metadata) != nil {
            result = .metadata(store.metadata(of: index))
        } else if let pinhole {
            rest.remove(.pinhole)
            sessions[index].message = UInt32(truncatingIfNeeded: message)
            result = .pinhole(pinhole)
        } else {
            return nil
        }
        if !rest.isEmpty { followUp = (index, store.original(of: index), rest) }
        return result
    }
}

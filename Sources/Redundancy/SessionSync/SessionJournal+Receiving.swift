public import Dataplane
public import LabTime
public import Wire

// The peer's records and transfers.
extension SessionJournal {
    /// Applies a record of the peer.
    /// - Parameter onlyNew: true for a box that is Active itself: a late record of its predecessor may add a session
    ///   but changes none that has moved on here
    /// - Returns: false where the store refuses it
    @discardableResult
    @inlinable
    package mutating func apply<Store: SessionStore & ~Copyable>(
        _ record: SyncRecord<Family>, to store: inout Store, onlyNew: Bool = false, at now: Instant
    ) -> Bool
    where Store.Family == Family {
        if onlyNew { reception.becomePartial() }
        switch record {
        case .session(let session): return apply(session, to: &store, onlyNew: onlyNew, at: now)
        case .removal(let flow):
            if !onlyNew, let match = store.find(flow) { store.discard(match.index) }
            return true
        case .metadata(let metadata):
            store.adopt(metadata)
            return true
        case .pinhole(let pinhole): return apply(pinhole, to: &store, onlyNew: onlyNew, at: now)
        }
    }

    @inlinable
    mutating func apply<Store: SessionStore & ~Copyable>(
        _ record: SessionRecord<Family>, to store: inout Store, onlyNew: Bool, at now: Instant
    ) -> Bool
    where Store.Family == Family {
        switch store.adopt(record, onlyNew: onlyNew, at: now) {
        case .updated(let index): sessions[index].generation = reception.generation
        case .inserted(let index):
            sessions[index] = SessionMark(generation: reception.generation)
            // Only an Active records: what it learns from a rival that yielded, that one is to keep.
            if isRecording { markDirty(index, .state, at: now) }
        case .ignored: break
        case .refusedByPolicy:
            unknownRules &+= 1
            return false
        case .full: return false
        }
        return true
    }

    @inlinable
    mutating func apply<Store: SessionStore & ~Copyable>(
        _ record: PinholeRecord<Family>, to store: inout Store, onlyNew: Bool, at now: Instant
    ) -> Bool
    where Store.Family == Family {
        // A box without the gateway lets its policy decide alone.
        guard store.opensPinholes else { return true }
        // A predecessor's late record is newer than its earlier ones, and older than what was opened here since.
        if onlyNew, let place = store.pinhole(ofControl: record.control), pinholes[place].term == term { return true }
        guard let place = store.adopt(record, at: now) else { return false }
        pinholes[place] = PinholeMark(generation: reception.generation, term: 0)
        return true
    }

    // MARK: Transfers

    /// The peer begins to send all of its sessions.
    @inlinable package mutating func beginReceivingBulk() { reception.begin() }

    /// A transfer of the peer does not name every session of the pair: this box has opened some since it began.
    @inlinable package mutating func keepUnmentioned() { reception.becomePartial() }

    /// The peer has sent all of its sessions: what it did not mention is no session of the pair. A box that was Active
    /// since the transfer began, or has sent the peer its own, keeps them all.
    /// - Returns: how many were removed
    @discardableResult
    @inlinable
    package mutating func endReceivingBulk<Store: SessionStore & ~Copyable>(_ store: inout Store) -> Int
    where Store.Family == Family {
        guard reception.end() else { return 0 }
        var removed = 0
        var index = store.next(after: nil)
        while let place = index {
            if sessions[place].generation != reception.generation {
                store.discard(place)
                removed += 1
            }
            index = store.next(after: place)
        }
        var pinhole = store.nextPinhole(after: nil)
        while let place = pinhole {
            if pinholes[place].generation != reception.generation { store.removePinhole(place) }
            pinhole = store.nextPinhole(after: place)
        }
        return removed
    }
}

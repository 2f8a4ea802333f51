public import Dataplane
public import LabTime
public import Wire

extension SyncChannel {
    /// Takes a message of the peer.
    /// - Parameters:
    ///   - payload: of the UDP datagram
    ///   - journal: of the store
    ///   - isActive: this box is Active itself: late records of its predecessor may add sessions, not change any
    ///   - isPeerAlive: the peer's heartbeat is not overdue
    /// - Throws: what is wrong with the message, which then has changed nothing
    @inlinable
    package mutating func receive<Store: SessionStore & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, into store: inout Store, _ journal: inout SessionJournal<Store.Family>,
        isActive: Bool,
        isPeerAlive: Bool = false, at now: Instant
    ) throws(WireError) -> SyncReception {
        let view = try SyncMessageView(payload, key: key)
        let header = view.header
        guard header.sender != sender else {
            throw WireError(.sync, .forbiddenValue, found: Int(truncatingIfNeeded: header.sender))
        }
        var reception = SyncReception()
        switch view.message {
        case .heartbeat(let heartbeat):
            try receiveHeartbeat(heartbeat, header, isPeerAlive: isPeerAlive, &reception)
        case .acknowledgement(let arrived, _):
            try acknowledge(header, arrived: arrived, &reception)
        case .records, .bulkBegin, .bulkEnd:
            // A box without sessions of the family cannot keep the peer's.
            guard header.family == Store.Family.version else {
                throw WireError(
                    .sync, .forbiddenValue, found: Int(header.family?.number ?? 0),
                    expected: Int(Store.Family.version.number))
            }
            try Self.check(view, before: store)
            try accept(payload, header, into: &store, &journal, isActive: isActive, at: now, &reception)
        case .bulkRequest:
            guard header.peerEpoch == ownEpoch else { throw WireError(.sync, .replayed) }
            if isActive { journal.beginRecording() }
        case .handover:
            // Versions to come may send it apart; this one has it in every heartbeat (`Heartbeat.Flags.leaving`).
            break
        }
        return reception
    }

    /// Applies messages that wait for an earlier one: a box that takes over must know all it can.
    /// - Returns: how many records were applied
    @inlinable
    package mutating func commit<Store: SessionStore & ~Copyable>(
        into store: inout Store, _ journal: inout SessionJournal<Store.Family>, at now: Instant
    ) -> Int {
        var reception = SyncReception()
        for distance in 0..<incoming.window.capacity {
            guard let message = incoming.window.peek(ahead: distance) else { continue }
            let view = SyncMessageView(verified: message)
            Self.apply(view, to: &store, &journal, isActive: false, at: now, &reception)
        }
        return reception.applied
    }

    /// A heartbeat that names another boot epoch of this box was recorded before, or its sender has not received this one:
    /// it only shows which boot epoch of the sender is to be named.
    @usableFromInline
    mutating func receiveHeartbeat(
        _ heartbeat: Heartbeat, _ header: SyncHeader, isPeerAlive: Bool, _ reception: inout SyncReception
    ) throws(WireError) {
        var isNew = false
        switch epochs.receive(header.epoch, sequence: header.sequence, isPeerAlive: isPeerAlive) {
        case .refused: throw WireError(.sync, .replayed)
        case .unconfirmed:
            reception.unconfirmedEpoch = header.epoch
            return
        case .known(let startsOver): reception.startsOver = startsOver
        case .new(let startsOver):
            isNew = true
            reception.startsOver = startsOver
        }
        guard header.peerEpoch == ownEpoch else {
            reception.isHello = true
            reception.isFirstHello = isNew
            return
        }
        reception.statement = PairStatement(heartbeat, epoch: header.epoch, sequence: header.sequence)
    }

    @usableFromInline
    mutating func acknowledge(
        _ header: SyncHeader, arrived: UInt64, _ reception: inout SyncReception
    ) throws(WireError) {
        // Of an earlier stream: it means nothing to this one.
        guard outgoing.isRunning, header.peerEpoch == outgoing.epoch else { throw WireError(.sync, .replayed) }
        guard header.acknowledgement < .max,
            let records = outgoing.window.acknowledge(upTo: header.acknowledgement &+ 1)
        else {
            throw WireError(
                .sync, .forbiddenValue, found: Int(truncatingIfNeeded: header.acknowledgement),
                expected: Int(truncatingIfNeeded: outgoing.window.nextSequence))
        }
        if outgoing.window.oldest == header.acknowledgement &+ 1 { outgoing.window.markArrived(arrived) }
        reception.acknowledged = records
        if outgoing.bulk.isCompleted(by: outgoing.window.oldest) { reception.sentBulkCompleted = true }
    }

    @inlinable
    mutating func accept<Store: SessionStore & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, _ header: SyncHeader, into store: inout Store,
        _ journal: inout SessionJournal<Store.Family>, isActive: Bool, at now: Instant, _ reception: inout SyncReception
    ) throws(WireError) {
        // Meant for an earlier incarnation of this box, or of a stream that has ended.
        let takesAny = !rules.contains(.refusesOtherEpochs)
        guard takesAny || header.peerEpoch == ownEpoch,
            incoming.follows(header.epoch, isAuthenticated: key != nil, takesAny: takesAny)
        else { throw WireError(.sync, .replayed) }
        incoming.hasPendingAcknowledgement = true
        switch incoming.window.accept(header.sequence, payload) {
        case .kept:
            if !rules.contains(.acknowledgesWhatItConsumed) { incoming.window.skip(to: header.sequence) }
        case .duplicate:
            reception.isDuplicate = true
        case .outside:
            throw WireError(
                .sync, .forbiddenValue, found: Int(truncatingIfNeeded: header.sequence),
                expected: Int(truncatingIfNeeded: incoming.window.expected))
        case .inOrder:
            // The peer may not have had all of this box's records when it began a transfer.
            let hasPendingRecords = outgoing.isRunning && (hasUnacknowledged || journal.hasRecords)
            Self.consume(payload, into: &store, &journal, isActive: isActive, hasPendingRecords, at: now, &reception)
            while let kept = incoming.window.takeNext() {
                Self.consume(kept, into: &store, &journal, isActive: isActive, hasPendingRecords, at: now, &reception)
            }
        }
    }

    /// A record with a state or an application that this box does not know spoils its message before anything is
    /// applied. The sessions that will be looked up are fetched meanwhile.
    @inlinable
    static func check<Store: SessionStore & ~Copyable>(
        _ view: borrowing SyncMessageView, before store: borrowing Store
    ) throws(WireError) {
        guard case .records = view.message else { return }
        let prefetches = store.isWorthPrefetching
        var cursor = SyncMessageView.Cursor()
        while let record = view.nextRecord(&cursor, of: Store.Family.self) {
            switch record {
            case .session(let session):
                if prefetches { store.prefetch(session) }
                guard session.sessionState != nil else {
                    throw WireError(
                        .sync, .forbiddenValue, found: Int(max(session.originatorState, session.responderState)))
                }
                guard !session.flags.contains(.inspected) || Application(rawValue: session.application) != nil else {
                    throw WireError(.sync, .forbiddenValue, found: Int(session.application))
                }
            case .metadata(let metadata):
                guard Application(rawValue: metadata.application) == nil else { continue }
                throw WireError(.sync, .forbiddenValue, found: Int(metadata.application))
            case .removal, .pinhole: continue
            }
        }
    }

    @inlinable
    static func consume<Store: SessionStore & ~Copyable>(
        _ message: UnsafeRawBufferPointer, into store: inout Store, _ journal: inout SessionJournal<Store.Family>,
        isActive: Bool,
        _ hasPendingRecords: Bool, at now: Instant, _ reception: inout SyncReception
    ) {
        let view = SyncMessageView(verified: message)
        switch view.message {
        case .records:
            apply(view, to: &store, &journal, isActive: isActive, at: now, &reception)
        case .bulkBegin:
            if !isActive { journal.beginReceivingBulk() }
            if isActive || hasPendingRecords { journal.keepUnmentioned() }
        case .bulkEnd:
            if !isActive { journal.endReceivingBulk(&store) }
            reception.receivedBulkCompleted = true
        default:
            return
        }
    }

    @inlinable
    static func apply<Store: SessionStore & ~Copyable>(
        _ view: borrowing SyncMessageView, to store: inout Store, _ journal: inout SessionJournal<Store.Family>,
        isActive: Bool,
        at now: Instant, _ reception: inout SyncReception
    ) {
        var cursor = SyncMessageView.Cursor()
        while let record = view.nextRecord(&cursor, of: Store.Family.self) {
            if journal.apply(record, to: &store, onlyNew: isActive, at: now) {
                reception.applied += 1
            } else {
                reception.refused += 1
            }
        }
    }
}

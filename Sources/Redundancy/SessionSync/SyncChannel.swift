public import LabTime
public import Wire

/// The control channel of a pair on its cross-connect: heartbeats, and session records in a numbered, acknowledged stream
/// for each direction.
///
/// A stream begins anew (`restart`) whenever the peer appears. Its messages carry the instant at which it began as
/// `SyncHeader.epoch`, so that nothing of an earlier stream is taken for this one's, and in `peerEpoch` the boot epoch of
/// the peer that it is meant for. A heartbeat carries the boot epoch of its sender, and its own number as the sequence
/// number; it counts once it names this boot epoch of the receiver, so that what somebody recorded before proves nothing.
/// The stream is consumed in order; messages that overtook others are kept, and what is missing is sent again.
/// While messages are under way, new records wait until one is full, all have arrived, or `coalescing` has passed: so
/// a busy pair sends full messages, and an idle one does not wait.
///
/// Pure: the caller carries the messages.
public struct SyncChannel: ~Copyable {
    /// Source and destination port of the cross-connect's UDP.
    public static var udpPort: UInt16 { SyncHeader.port }

    @usableFromInline var outgoing: OutgoingStream
    @usableFromInline var incoming: IncomingStream
    @usableFromInline let sender: UInt32
    @usableFromInline let heartbeatInterval: Duration
    /// The pair's; nil where messages are not authenticated.
    @usableFromInline let key: SyncKey?
    @usableFromInline let rules: PairRules
    /// This boot epoch of the box, as its heartbeats name it.
    @usableFromInline var ownEpoch: UInt64 = 1
    /// The boot epoch of the peer that this box's heartbeats name.
    @usableFromInline var epochs: PeerEpochs
    /// A boot epoch that is answered once, by the next heartbeat, while another one is the known one.
    @usableFromInline var answers: UInt64?
    /// Where heartbeats and acknowledgements are written.
    @usableFromInline let scratch: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - messageSize: largest message in bytes, at most what a UDP datagram of the cross-connect's MTU carries
    ///   - sender: tells the boxes of the pair apart; not zero
    ///   - key: authenticates every message; the peer has the same
    ///   - coalescing: how long records may wait for a message to be full while others are under way
    public init(
        messageSize: Int, sender: UInt32, heartbeatInterval: Duration, key: SyncKey? = nil,
        coalescing: Duration = .milliseconds(1), window: Int = 64, resendAfter: Duration = .milliseconds(20),
        rules: PairRules = .all
    ) {
        precondition(messageSize >= 160, "a message has at least a header, one record and an authenticator")
        outgoing = OutgoingStream(
            window: SendWindow(capacity: window, slotSize: messageSize, resendAfter: resendAfter),
            coalescing: coalescing)
        incoming = IncomingStream(window: ReceiveWindow(capacity: window, slotSize: 1472))
        self.key = key
        epochs = PeerEpochs(isAuthenticated: key != nil)
        self.rules = rules
        self.sender = max(1, sender)
        self.heartbeatInterval = heartbeatInterval
        scratch = .allocate(byteCount: 128, alignment: 8)
    }

    @inlinable deinit { scratch.deallocate() }

    /// When a message is to be sent again, or for the first time; nil where nothing waits.
    public var deadline: Instant? {
        guard outgoing.isRunning else { return nil }
        let resend = rules.contains(.resends) ? outgoing.window.deadline : nil
        guard let resend, let partial = outgoing.partialDueAt else { return resend ?? outgoing.partialDueAt }
        return min(resend, partial)
    }

    /// The boot epoch of the peer from which messages are taken; 0 before any was received.
    public var knownPeerEpoch: UInt64 { epochs.known }

    /// Messages with records that the peer has not consumed yet; no more than the window.
    public var messagesUnderWay: Int { outgoing.window.count }

    /// Records in messages that the peer has not consumed yet are there.
    public var hasUnacknowledged: Bool { !outgoing.window.isEmpty }

    /// The peer appeared: a new stream begins.
    /// - Parameter peerEpoch: the peer's boot epoch, as its heartbeat names it
    public mutating func restart(for peerEpoch: UInt64, at now: Instant) { outgoing.restart(for: peerEpoch, at: now) }

    /// The peer is gone: nothing more is sent until `restart`.
    public mutating func stop() { outgoing.stop() }

    /// The next heartbeat names this boot epoch of the peer, instead of the known one.
    public mutating func answer(_ epoch: UInt64) { answers = epoch }

    // MARK: Messages to send; each one's bytes are valid until the next call

    public mutating func heartbeat(_ statement: PairStatement, sessions: Int) -> UnsafeRawBufferPointer {
        ownEpoch = statement.epoch
        let named = answers ?? epochs.known
        answers = nil
        let header = SyncHeader(
            sender: sender, epoch: statement.epoch, peerEpoch: named, sequence: statement.sequence,
            acknowledgement: incoming.window.expected &- 1)
        return write(
            .heartbeat(Heartbeat(statement, interval: heartbeatInterval, sessions: sessions)), header)
    }

    /// Which of the peer's messages have arrived; nil where there is nothing new.
    public mutating func nextAcknowledgement() -> UnsafeRawBufferPointer? {
        guard incoming.hasPendingAcknowledgement else { return nil }
        incoming.hasPendingAcknowledgement = false
        let header = SyncHeader(
            sender: sender, epoch: ownEpoch, peerEpoch: incoming.epoch, sequence: outgoing.window.nextSequence &- 1,
            acknowledgement: incoming.window.expected &- 1)
        return write(
            .acknowledgement(arrived: incoming.window.arrived, window: UInt32(incoming.window.capacity)), header)
    }

    /// A message whose acknowledgement is overdue.
    public mutating func nextOverdue(at now: Instant) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        guard outgoing.isRunning, rules.contains(.resends), let overdue = outgoing.window.nextOverdue(at: now) else {
            return nil
        }
        return (overdue.message, overdue.records)
    }

    /// The next message with records; nil where there are none, or as many messages as may be are under way.
    /// - Parameters:
    ///   - store: whose sessions the journal has recorded
    ///   - isUrgent: records do not wait for company
    @inlinable
    package mutating func nextMessage<Store: SessionStore & ~Copyable>(
        from journal: inout SessionJournal<Store.Family>, of store: borrowing Store, isUrgent: Bool = false,
        at now: Instant
    ) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        guard outgoing.isRunning, outgoing.bulk.pending != nil || journal.hasRecords else {
            // What waited has been sent or forgotten meanwhile: a deadline that stayed would be due for ever.
            outgoing.partialDueAt = nil
            return nil
        }
        let longest = SyncRecord<Store.Family>.maximumLength
        guard isUrgent || !outgoing.waitsForCompany(journal.pendingCount, upTo: longest, at: now),
            let buffer = outgoing.window.reserve()
        else {
            return nil
        }
        let header = SyncHeader(
            sender: sender, epoch: outgoing.epoch, peerEpoch: outgoing.peerEpoch,
            sequence: outgoing.window.nextSequence,
            acknowledgement: incoming.window.expected &- 1, family: Store.Family.version)
        if let mark = outgoing.bulk.pending { return send(mark, header, in: buffer, sessions: store.count, at: now) }
        var writer = SyncRecordWriter<Store.Family>(buffer, key: key)
        while writer.hasRoom, outgoing.bulk.pending == nil,
            let next = journal.nextRecord(of: store, at: now, for: outgoing.window.nextSequence)
        {
            switch next {
            case .record(let record): writer.append(record)
            case .bulkBegins: outgoing.bulk.pending = .begin
            case .bulkEnds: outgoing.bulk.pending = .end
            }
        }
        if writer.count == 0 {
            guard let mark = outgoing.bulk.pending else { return nil }
            return send(mark, header, in: buffer, sessions: store.count, at: now)
        }
        guard let length = writer.finish(header) else { return nil }
        outgoing.bulk.records &+= UInt32(writer.count)
        return (outgoing.window.commit(length: length, records: writer.count, at: now), writer.count)
    }

    /// Whether the peer has the message of this stream whose number ends in these bits.
    public func hasArrived(message low: UInt32) -> Bool {
        let behind = UInt32(truncatingIfNeeded: outgoing.window.nextSequence) &- low
        return UInt64(behind) <= outgoing.window.nextSequence
            && outgoing.window.hasArrived(outgoing.window.nextSequence &- UInt64(behind))
    }

    @usableFromInline
    mutating func send(
        _ mark: BulkMessages.Mark, _ header: SyncHeader, in buffer: UnsafeMutableRawBufferPointer, sessions: Int,
        at now: Instant
    ) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        let message = outgoing.bulk.message(mark, numbered: outgoing.window.nextSequence, sessions: sessions)
        guard let length = message.emit(header, key: key, into: buffer) else { return nil }
        return (outgoing.window.commit(length: length, records: 0, at: now), 0)
    }

    @usableFromInline
    func write(_ message: SyncMessage, _ header: SyncHeader) -> UnsafeRawBufferPointer {
        guard let length = message.emit(header, key: key, into: scratch) else {
            preconditionFailure("a heartbeat or acknowledgement has at most 84 bytes")
        }
        return UnsafeRawBufferPointer(rebasing: scratch[..<length])
    }
}

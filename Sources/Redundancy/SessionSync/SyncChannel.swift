public import LabTime
public import Mutants
public import Wire

/// The conversation of a pair on its cross-connect: heartbeats, and session records in a numbered, acknowledged stream
/// for each direction.
///
/// A stream begins anew (`restart`) whenever the peer appears. Its messages carry the instant at which it began as
/// `SyncHeader.epoch`, so that nothing of an earlier stream is taken for this one's, and in `peerEpoch` the life of the
/// peer that it is meant for. A heartbeat carries the life of its sender, and its own number as the sequence number; it
/// counts once it names this life of the receiver, so that what somebody recorded before proves nothing.
/// The stream is consumed in order; messages that overtook others are kept, and what is missing is sent again.
/// While messages are under way, new records wait until one is full, all have arrived, or `coalescing` has passed: so
/// a busy pair sends full messages, and an idle one does not wait.
///
/// Pure: the caller carries the messages.
public struct SyncChannel: ~Copyable {
    /// Source and destination port of the cross-connect's UDP.
    public static var udpPort: UInt16 { SyncHeader.port }

    @usableFromInline var sendWindow: SendWindow
    @usableFromInline var receiveWindow: ReceiveWindow
    @usableFromInline let sender: UInt32
    @usableFromInline let heartbeatInterval: Duration
    /// The pair's; nil where messages are not authenticated.
    @usableFromInline let key: SyncKey?
    /// How long records wait for company at most; zero where packets wait for records.
    @usableFromInline let coalescing: Duration
    @usableFromInline let rules: PairRules
    /// When records that wait for company leave alone; nil where none wait.
    @usableFromInline var partialDueAt: Instant?
    /// This life of the box, as its heartbeats say it.
    @usableFromInline var ownEpoch: UInt64 = 1
    /// The life of the peer that this box's stream is meant for.
    @usableFromInline var peerEpoch: UInt64 = 0
    /// The life of the peer that this box's heartbeats name.
    @usableFromInline var epochs: PeerEpochs
    /// A life that is answered once, by the next heartbeat, while another one is the known one.
    @usableFromInline var answers: UInt64?
    /// The peer's stream before the present one, and how many of its messages came since the last one of that.
    @usableFromInline var formerStream: (epoch: UInt64, expected: UInt64, inRow: Int) = (0, 1, 0)
    /// When this box's stream began; 0 where there is none.
    @usableFromInline var ownStream: UInt64 = 0
    /// When the peer's stream began; 0 where none was heard.
    @usableFromInline var peerStream: UInt64 = 0
    @usableFromInline var isRunning = false
    /// A bulk message that goes out when the records before it have.
    @usableFromInline var pendingMark: BulkMark?
    @usableFromInline var bulkIdentifier: UInt32 = 0
    @usableFromInline var bulkRecords: UInt32 = 0
    /// The message that ended the bulk transfer, until it is acknowledged.
    @usableFromInline var bulkEndSequence: UInt64?
    /// The peer's stream has moved since the last acknowledgement.
    @usableFromInline var hasPendingAcknowledgement = false
    /// Where heartbeats and acknowledgements are written.
    @usableFromInline let scratch: UnsafeMutableRawBufferPointer

    @usableFromInline
    enum BulkMark {
        case begin, end
    }

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
        sendWindow = SendWindow(capacity: window, slotSize: messageSize, resendAfter: resendAfter)
        self.key = key
        epochs = PeerEpochs(isAuthenticated: key != nil)
        self.coalescing = coalescing
        self.rules = rules
        receiveWindow = ReceiveWindow(capacity: window, slotSize: 1472)
        self.sender = max(1, sender)
        self.heartbeatInterval = heartbeatInterval
        scratch = .allocate(byteCount: 128, alignment: 8)
    }

    @inlinable deinit { scratch.deallocate() }

    /// When a message is to be sent again, or for the first time; nil where nothing waits.
    public var deadline: Instant? {
        guard isRunning else { return nil }
        let resend = rules.contains(.resends) ? sendWindow.deadline : nil
        guard let resend, let partial = partialDueAt else { return resend ?? partialDueAt }
        return min(resend, partial)
    }

    /// The life of the peer from which messages are taken; 0 before any was heard.
    public var knownPeerEpoch: UInt64 { epochs.known }

    /// Messages with records that the peer has not consumed yet; no more than the window.
    public var messagesUnderWay: Int { sendWindow.count }

    /// Records in messages that the peer has not consumed yet are there.
    public var hasUnacknowledged: Bool { !sendWindow.isEmpty }

    /// The peer appeared: a new stream begins.
    /// - Parameter peerEpoch: the peer's life, as its heartbeat says it
    public mutating func restart(for peerEpoch: UInt64, at now: Instant) {
        self.peerEpoch = peerEpoch
        ownStream = max(ownStream &+ 1, UInt64(max(1, now.nanoseconds)))
        sendWindow.restart()
        pendingMark = nil
        partialDueAt = nil
        bulkEndSequence = nil
        isRunning = true
    }

    /// The peer is gone: nothing more is sent until `restart`.
    public mutating func stop() {
        isRunning = false
        pendingMark = nil
        partialDueAt = nil
        bulkEndSequence = nil
        sendWindow.restart()
    }

    /// The next heartbeat names this life of the peer, instead of the one that is heard.
    public mutating func answer(_ epoch: UInt64) { answers = epoch }

    // MARK: Messages to send; each one's bytes are valid until the next call

    public mutating func heartbeat(_ statement: PairStatement, sessions: Int) -> UnsafeRawBufferPointer {
        ownEpoch = statement.epoch
        let named = answers ?? epochs.known
        answers = nil
        let header = SyncHeader(
            sender: sender, epoch: statement.epoch, peerEpoch: named, sequence: statement.sequence,
            acknowledgement: receiveWindow.expected &- 1)
        return write(
            .heartbeat(Heartbeat(statement, interval: heartbeatInterval, sessions: sessions)), header)
    }

    /// What the peer is to be told that it has sent; nil where there is nothing new.
    public mutating func nextAcknowledgement() -> UnsafeRawBufferPointer? {
        guard hasPendingAcknowledgement else { return nil }
        hasPendingAcknowledgement = false
        let header = SyncHeader(
            sender: sender, epoch: ownEpoch, peerEpoch: peerStream, sequence: sendWindow.nextSequence &- 1,
            acknowledgement: receiveWindow.expected &- 1)
        return write(
            .acknowledgement(arrived: receiveWindow.arrived, window: UInt32(receiveWindow.capacity)), header)
    }

    /// A message whose acknowledgement is overdue.
    public mutating func nextOverdue(at now: Instant) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        guard isRunning, rules.contains(.resends), let overdue = sendWindow.nextOverdue(at: now) else { return nil }
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
        guard isRunning, pendingMark != nil || journal.hasRecords else {
            // What waited has been sent or forgotten meanwhile: a deadline that stayed would be due for ever.
            partialDueAt = nil
            return nil
        }
        guard isUrgent || !waitsForCompany(journal.pendingCount, upTo: SyncRecord<Store.Family>.maximumLength, at: now),
            let buffer = sendWindow.reserve()
        else {
            return nil
        }
        let header = SyncHeader(
            sender: sender, epoch: ownStream, peerEpoch: peerEpoch, sequence: sendWindow.nextSequence,
            acknowledgement: receiveWindow.expected &- 1, family: Store.Family.version)
        if let mark = pendingMark { return send(mark, header, in: buffer, sessions: store.count, at: now) }
        var writer = SyncRecordWriter<Store.Family>(buffer, key: key)
        while writer.hasRoom, pendingMark == nil,
            let next = journal.nextRecord(of: store, at: now, for: sendWindow.nextSequence)
        {
            switch next {
            case .record(let record): writer.append(record)
            case .bulkBegins: pendingMark = .begin
            case .bulkEnds: pendingMark = .end
            }
        }
        if writer.count == 0 {
            guard let mark = pendingMark else { return nil }
            return send(mark, header, in: buffer, sessions: store.count, at: now)
        }
        guard let length = writer.finish(header) else { return nil }
        bulkRecords &+= UInt32(writer.count)
        return (sendWindow.commit(length: length, records: writer.count, at: now), writer.count)
    }

    /// Records that would not fill a message wait while others are under way.
    /// - Parameter length: bytes of the longest record
    @usableFromInline
    mutating func waitsForCompany(_ pending: Int, upTo length: Int, at now: Instant) -> Bool {
        if Mutant.isOn(.tellsSessionsLate), pendingMark == nil, pending != .max {
            let due = partialDueAt ?? now + .seconds(2)
            partialDueAt = due <= now ? nil : due
            return due > now
        }
        let isFull = pending >= sendWindow.slotSize / length
        if coalescing == .zero || pendingMark != nil || sendWindow.isEmpty || isFull {
            partialDueAt = nil
            return false
        }
        let due = partialDueAt ?? now + coalescing
        partialDueAt = due <= now ? nil : due
        return due > now
    }

    /// Whether the peer has the message of this stream whose number ends in these bits.
    public func hasArrived(message low: UInt32) -> Bool {
        let behind = UInt32(truncatingIfNeeded: sendWindow.nextSequence) &- low
        return UInt64(behind) <= sendWindow.nextSequence
            && sendWindow.hasArrived(sendWindow.nextSequence &- UInt64(behind))
    }

    @usableFromInline
    mutating func send(
        _ mark: BulkMark, _ header: SyncHeader, in buffer: UnsafeMutableRawBufferPointer, sessions: Int, at now: Instant
    ) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        pendingMark = nil
        let message: SyncMessage
        switch mark {
        case .begin:
            bulkIdentifier &+= 1
            bulkRecords = 0
            bulkEndSequence = nil
            message = .bulkBegin(identifier: bulkIdentifier, sessions: UInt32(clamping: sessions))
        case .end:
            bulkEndSequence = sendWindow.nextSequence
            message = .bulkEnd(identifier: bulkIdentifier, sessions: bulkRecords)
        }
        guard let length = message.emit(header, key: key, into: buffer) else { return nil }
        return (sendWindow.commit(length: length, records: 0, at: now), 0)
    }

    @usableFromInline
    func write(_ message: SyncMessage, _ header: SyncHeader) -> UnsafeRawBufferPointer {
        guard let length = message.emit(header, key: key, into: scratch) else {
            preconditionFailure("a heartbeat or acknowledgement has at most 84 bytes")
        }
        return UnsafeRawBufferPointer(rebasing: scratch[..<length])
    }
}

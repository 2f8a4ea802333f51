public import LabTime
import Mutants
public import Wire

/// A box's own stream of session records to its peer.
@usableFromInline
struct OutgoingStream: ~Copyable {
    @usableFromInline var window: SendWindow
    /// How long records wait for company at most; zero where packets wait for records.
    let coalescing: Duration
    /// Whether the peer is there.
    @usableFromInline private(set) var isRunning = false
    /// When the stream began; 0 where there is none.
    @usableFromInline private(set) var epoch: UInt64 = 0
    /// The boot epoch of the peer that the stream is meant for.
    @usableFromInline private(set) var peerEpoch: UInt64 = 0
    /// When records that wait for company leave alone; nil where none wait.
    @usableFromInline var partialDueAt: Instant?
    @usableFromInline var bulk = BulkMessages()

    init(window: consuming SendWindow, coalescing: Duration) {
        self.window = window
        self.coalescing = coalescing
    }

    mutating func restart(for peerEpoch: UInt64, at now: Instant) {
        self.peerEpoch = peerEpoch
        epoch = max(epoch &+ 1, UInt64(max(1, now.nanoseconds)))
        reset()
        isRunning = true
    }

    mutating func stop() {
        isRunning = false
        reset()
    }

    private mutating func reset() {
        window.restart()
        partialDueAt = nil
        bulk.abandon()
    }

    /// Records that would not fill a message wait while others are under way.
    /// - Parameter length: bytes of the longest record
    @usableFromInline
    mutating func waitsForCompany(_ pending: Int, upTo length: Int, at now: Instant) -> Bool {
        if Mutant.isOn(.tellsSessionsLate), bulk.pending == nil, pending != .max {
            return waits(for: .seconds(2), at: now)
        }
        let isFull = pending >= window.slotSize / length
        if coalescing == .zero || bulk.pending != nil || window.isEmpty || isFull {
            partialDueAt = nil
            return false
        }
        return waits(for: coalescing, at: now)
    }

    private mutating func waits(for duration: Duration, at now: Instant) -> Bool {
        let due = partialDueAt ?? now + duration
        partialDueAt = due <= now ? nil : due
        return due > now
    }
}

/// The messages around a box's own transfer of all sessions.
@usableFromInline
struct BulkMessages {
    @usableFromInline
    enum Mark {
        case begin, end
    }

    /// Goes out when the records before it have.
    @usableFromInline var pending: Mark?
    private var identifier: UInt32 = 0
    /// Records since the transfer began.
    @usableFromInline var records: UInt32 = 0
    /// The message that ended the transfer, until it is acknowledged.
    private var endSequence: UInt64?

    /// What is to be sent now.
    /// - Parameters:
    ///   - sequence: the number of the message
    ///   - sessions: that the box has
    mutating func message(_ mark: Mark, numbered sequence: UInt64, sessions: Int) -> SyncMessage {
        pending = nil
        switch mark {
        case .begin:
            identifier &+= 1
            records = 0
            endSequence = nil
            return .bulkBegin(identifier: identifier, sessions: UInt32(clamping: sessions))
        case .end:
            endSequence = sequence
            return .bulkEnd(identifier: identifier, sessions: records)
        }
    }

    /// - Parameter oldest: the oldest message that was not acknowledged
    /// - Returns: whether the end of the transfer was acknowledged now
    mutating func isCompleted(by oldest: UInt64) -> Bool {
        guard let end = endSequence, oldest > end else { return false }
        endSequence = nil
        return true
    }

    /// The stream that the transfer was part of is over.
    mutating func abandon() {
        pending = nil
        endSequence = nil
    }
}

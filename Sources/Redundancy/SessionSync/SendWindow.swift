public import LabTime

/// Messages that were sent and not acknowledged yet, in memory of fixed size.
///
/// Each keeps its bytes until the peer has consumed it, and is sent again where no acknowledgement comes in time. When
/// the window is full nothing new is sent: a peer that stops reading costs no more than this memory.
public struct SendWindow: ~Copyable {
    @usableFromInline
    struct Slot {
        var length: Int
        var records: Int
        var sentAt: Instant
        /// Kept by the peer, which cannot consume it yet.
        var hasArrived: Bool
    }

    /// Messages under way at most.
    public let capacity: Int
    /// Largest message in bytes.
    public let slotSize: Int
    public let resendAfter: Duration
    /// The number of the next message, from 1 in each stream.
    public private(set) var nextSequence: UInt64 = 1
    /// The oldest message that was not acknowledged.
    public private(set) var oldest: UInt64 = 1
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let slots: UnsafeMutablePointer<Slot>

    public init(capacity: Int = 64, slotSize: Int, resendAfter: Duration = .milliseconds(20)) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a power of two")
        self.capacity = capacity
        self.slotSize = slotSize
        self.resendAfter = resendAfter
        bytes = .allocate(byteCount: capacity * slotSize, alignment: 16)
        slots = .allocate(capacity: capacity)
        slots.initialize(
            repeating: Slot(length: 0, records: 0, sentAt: Instant(nanoseconds: 0), hasArrived: false), count: capacity)
    }

    @inlinable
    deinit {
        bytes.deallocate()
        slots.deallocate()
    }

    public var isEmpty: Bool { nextSequence == oldest }
    /// Messages that were not acknowledged.
    public var count: Int { Int(nextSequence &- oldest) }
    public var isFull: Bool { nextSequence &- oldest >= UInt64(capacity) }

    /// Memory for the next message; nil where the window is full.
    public func reserve() -> UnsafeMutableRawBufferPointer? {
        isFull ? nil : UnsafeMutableRawBufferPointer(start: address(of: nextSequence), count: slotSize)
    }

    /// The reserved memory holds a message now, which is sent at `now`.
    public mutating func commit(length: Int, records: Int, at now: Instant) -> UnsafeRawBufferPointer {
        precondition(!isFull && length <= slotSize)
        slots[place(of: nextSequence)] = Slot(length: length, records: records, sentAt: now, hasArrived: false)
        defer { nextSequence &+= 1 }
        return message(nextSequence)
    }

    /// The peer has consumed every message up to, not including, `next`.
    /// - Returns: the records in them; nil where no such message was sent
    public mutating func acknowledge(upTo next: UInt64) -> Int? {
        guard next <= nextSequence else { return nil }
        var records = 0
        // An acknowledgement that was overtaken by a later one says nothing new.
        while oldest < next {
            records += slots[place(of: oldest)].records
            oldest &+= 1
        }
        return records
    }

    /// The peer keeps messages behind a gap: bit n for message number `oldest` + 1 + n.
    public mutating func markArrived(_ bits: UInt64) {
        var bits = bits
        while bits != 0 {
            let sequence = oldest &+ 1 &+ UInt64(bits.trailingZeroBitCount)
            bits &= bits &- 1
            if sequence < nextSequence { slots[place(of: sequence)].hasArrived = true }
        }
    }

    /// Whether the peer has a message of this stream: it has consumed it, or keeps it until it can.
    public func hasArrived(_ sequence: UInt64) -> Bool {
        sequence < oldest || sequence < nextSequence && slots[place(of: sequence)].hasArrived
    }

    /// A message whose acknowledgement is overdue; it counts as sent again at `now`.
    public mutating func nextOverdue(at now: Instant) -> (message: UnsafeRawBufferPointer, records: Int)? {
        var sequence = oldest
        while sequence != nextSequence {
            let slot = place(of: sequence)
            if !slots[slot].hasArrived, slots[slot].sentAt + resendAfter <= now {
                slots[slot].sentAt = now
                return (message(sequence), slots[slot].records)
            }
            sequence &+= 1
        }
        return nil
    }

    /// When `nextOverdue` has something; nil where everything is acknowledged.
    public var deadline: Instant? {
        var earliest: Instant?
        var sequence = oldest
        while sequence != nextSequence {
            let slot = slots[place(of: sequence)]
            let due = slot.sentAt + resendAfter
            if !slot.hasArrived, earliest.map({ due < $0 }) ?? true { earliest = due }
            sequence &+= 1
        }
        return earliest
    }

    /// A new stream begins: nothing was sent.
    public mutating func restart() {
        nextSequence = 1
        oldest = 1
    }

    private func place(of sequence: UInt64) -> Int { Int(sequence) & (capacity - 1) }
    private func address(of sequence: UInt64) -> UnsafeMutableRawPointer { bytes + place(of: sequence) * slotSize }
    private func message(_ sequence: UInt64) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: address(of: sequence), count: slots[place(of: sequence)].length)
    }
}

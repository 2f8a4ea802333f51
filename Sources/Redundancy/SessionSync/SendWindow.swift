public import LabTime

/// Messages that were sent and not acknowledged yet, in memory of fixed size.
///
/// Each keeps its bytes until the peer has consumed it, and is sent again where no acknowledgement comes in time. When
/// the window is full nothing new is sent: a peer that stops reading costs no more than this memory.
public struct SendWindow: ~Copyable {
    struct Slot {
        var length: Int
        var records: Int
        var sentAt: Instant
    }

    /// Messages under way at most.
    public let capacity: Int
    /// Largest message in bytes.
    public let slotSize: Int
    public let resendAfter: Duration
    /// The number of the next message, from 1 in each stream.
    public private(set) var nextSequence: UInt32 = 1
    /// The oldest message that was not acknowledged.
    public private(set) var oldest: UInt32 = 1
    private let bytes: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<Slot>

    public init(capacity: Int = 64, slotSize: Int, resendAfter: Duration = .milliseconds(20)) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a power of two")
        self.capacity = capacity
        self.slotSize = slotSize
        self.resendAfter = resendAfter
        bytes = .allocate(byteCount: capacity * slotSize, alignment: 16)
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(length: 0, records: 0, sentAt: Instant(nanoseconds: 0)), count: capacity)
    }

    deinit {
        bytes.deallocate()
        slots.deallocate()
    }

    public var isEmpty: Bool { nextSequence == oldest }
    public var isFull: Bool { nextSequence &- oldest >= UInt32(capacity) }

    /// Memory for the next message; nil where the window is full.
    public func reserve() -> UnsafeMutableRawBufferPointer? {
        isFull ? nil : UnsafeMutableRawBufferPointer(start: address(of: nextSequence), count: slotSize)
    }

    /// The reserved memory holds a message now, which is sent at `now`.
    public mutating func commit(length: Int, records: Int, at now: Instant) -> UnsafeRawBufferPointer {
        precondition(!isFull && length <= slotSize)
        slots[place(of: nextSequence)] = Slot(length: length, records: records, sentAt: now)
        defer { nextSequence &+= 1 }
        return message(nextSequence)
    }

    /// The peer has consumed every message up to, not including, `next`.
    /// - Returns: the records in them; nil where no such message was sent
    public mutating func acknowledge(upTo next: UInt32) -> Int? {
        guard next &- oldest <= nextSequence &- oldest else {
            // Older than what is known: an acknowledgement that was overtaken.
            return oldest &- next <= UInt32(Int32.max) ? 0 : nil
        }
        var records = 0
        while oldest != next {
            records += slots[place(of: oldest)].records
            oldest &+= 1
        }
        return records
    }

    /// A message whose acknowledgement is overdue; it counts as sent again at `now`.
    public mutating func nextOverdue(at now: Instant) -> (message: UnsafeRawBufferPointer, records: Int)? {
        var sequence = oldest
        while sequence != nextSequence {
            let slot = place(of: sequence)
            if slots[slot].sentAt + resendAfter <= now {
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
            let due = slots[place(of: sequence)].sentAt + resendAfter
            if earliest.map({ due < $0 }) ?? true { earliest = due }
            sequence &+= 1
        }
        return earliest
    }

    /// A new stream begins: nothing was sent.
    public mutating func restart() {
        nextSequence = 1
        oldest = 1
    }

    private func place(of sequence: UInt32) -> Int { Int(sequence) & (capacity - 1) }
    private func address(of sequence: UInt32) -> UnsafeMutableRawPointer { bytes + place(of: sequence) * slotSize }
    private func message(_ sequence: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: address(of: sequence), count: slots[place(of: sequence)].length)
    }
}

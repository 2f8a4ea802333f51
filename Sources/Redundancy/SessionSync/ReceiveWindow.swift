/// Messages of the peer's stream that arrived before an earlier one, in memory of fixed size.
public struct ReceiveWindow: ~Copyable {
    public enum Reception: Hashable, Sendable {
        /// The next message in order: consume it now, then what `takeNext` gives.
        case inOrder
        /// Kept until the ones before it have arrived.
        case kept
        /// Was consumed or is kept already.
        case duplicate
        /// Further ahead than a correct peer sends.
        case outside
    }

    public let capacity: Int
    public let slotSize: Int
    /// The number of the message that is consumed next: what the acknowledgement says.
    public private(set) var expected: UInt64 = 1
    @usableFromInline let bytes: UnsafeMutableRawPointer
    /// 0 for an empty place.
    @usableFromInline let lengths: UnsafeMutablePointer<Int>
    private var kept = 0

    public init(capacity: Int = 64, slotSize: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a power of two")
        self.capacity = capacity
        self.slotSize = slotSize
        bytes = .allocate(byteCount: capacity * slotSize, alignment: 16)
        lengths = .allocate(capacity: capacity)
        lengths.initialize(repeating: 0, count: capacity)
    }

    @inlinable
    deinit {
        bytes.deallocate()
        lengths.deallocate()
    }

    /// Which messages behind the gap are kept: bit n for message number `expected` + 1 + n.
    public var arrived: UInt64 {
        guard kept > 0 else { return 0 }
        var bits: UInt64 = 0
        for distance in 1..<min(capacity, 65) where lengths[place(of: expected &+ UInt64(distance))] > 0 {
            bits |= 1 << UInt64(distance - 1)
        }
        return bits
    }

    /// Takes a message; one that cannot be consumed yet is copied.
    public mutating func accept(_ sequence: UInt64, _ message: UnsafeRawBufferPointer) -> Reception {
        if sequence < expected { return .duplicate }
        let ahead = sequence &- expected
        if ahead == 0 {
            expected &+= 1
            return .inOrder
        }
        guard ahead < UInt64(capacity), message.count <= slotSize, let source = message.baseAddress else {
            return .outside
        }
        guard lengths[place(of: sequence)] == 0 else { return .duplicate }
        (bytes + place(of: sequence) * slotSize).copyMemory(from: source, byteCount: message.count)
        lengths[place(of: sequence)] = message.count
        kept += 1
        return .kept
    }

    /// The next message in order, if it is kept; its bytes are valid until the next call.
    public mutating func takeNext() -> UnsafeRawBufferPointer? {
        guard kept > 0 else { return nil }
        let slot = place(of: expected)
        guard lengths[slot] > 0 else { return nil }
        expected &+= 1
        return take(slot)
    }

    /// A kept message, whatever is missing before it; nil where there is none at this distance from `expected`.
    ///
    /// For a box that takes over and must know all it can. The message stays kept and is consumed in its turn.
    public func peek(ahead distance: Int) -> UnsafeRawBufferPointer? {
        guard kept > 0, distance >= 0, distance < capacity else { return nil }
        let slot = place(of: expected &+ UInt64(distance))
        guard lengths[slot] > 0 else { return nil }
        return UnsafeRawBufferPointer(start: bytes + slot * slotSize, count: lengths[slot])
    }

    /// Takes what is missing before a message, and the message, for consumed: what a simulation does to break the rule.
    @usableFromInline
    mutating func skip(to sequence: UInt64) {
        restart()
        expected = sequence &+ 1
    }

    /// A new stream of the peer begins, or another one goes on.
    /// - Parameter place: the number of the message that comes next
    public mutating func restart(at place: UInt64 = 1) {
        expected = place
        kept = 0
        lengths.update(repeating: 0, count: capacity)
    }

    private mutating func take(_ slot: Int) -> UnsafeRawBufferPointer {
        let message = UnsafeRawBufferPointer(start: bytes + slot * slotSize, count: lengths[slot])
        lengths[slot] = 0
        kept -= 1
        return message
    }

    private func place(of sequence: UInt64) -> Int { Int(sequence) & (capacity - 1) }
}

import Wire

/// Frames on their way out of an appliance, in order, and an arena for those that the appliance makes itself.
///
/// Forwarded frames are enqueued where they are (in the receive ring); only frames that did not exist before take
/// arena memory. Both have a fixed capacity: what does not fit is refused, and the caller counts it.
public struct FrameQueue: ~Copyable {
    /// The largest MTU of a box's port.
    public static let largestMTU = 9216
    /// Bytes of the longest frame that a box makes or keeps: a VLAN tag and that MTU, with room for encapsulation.
    public static let longestFrame = 9472

    /// Bytes of one arena slot.
    public let slotSize: Int
    @usableFromInline let frames: UnsafeMutablePointer<Frame>
    @usableFromInline let arena: UnsafeMutableRawPointer
    public let capacity: Int
    @usableFromInline let slots: Int
    @usableFromInline var usedSlots = 0
    @usableFromInline var queued = 0
    @inlinable public var count: Int { queued }

    /// - Parameters:
    ///   - capacity: the most frames that can be queued between two transmissions
    ///   - slots: how many of them the appliance can make itself
    ///   - slotSize: the longest of these in bytes, with what encapsulates it
    public init(capacity: Int = 1024, slots: Int = 256, slotSize: Int = FrameQueue.longestFrame) {
        precondition(capacity > 0 && slots >= 0 && slotSize > 0)
        self.slotSize = slotSize
        self.capacity = capacity
        self.slots = slots
        frames = .allocate(capacity: capacity)
        arena = .allocate(byteCount: max(1, slots) * slotSize, alignment: 64)
    }

    deinit {
        frames.deallocate()
        arena.deallocate()
    }

    /// Enqueues a frame where it is.
    /// - Returns: false where the queue is full; nothing was enqueued.
    @inlinable
    public mutating func append(_ frame: Frame) -> Bool {
        guard count < capacity else { return false }
        frames[queued] = frame
        queued &+= 1
        return true
    }

    /// Takes `length` bytes of arena and enqueues them; the caller writes every byte before it returns.
    /// - Returns: nil where the queue or its arena is full, or the length exceeds `slotSize`.
    @inlinable
    public mutating func make(length: Int, port: PortIndex, side: PortSide) -> UnsafeMutableRawBufferPointer? {
        guard count < capacity, usedSlots < slots, length <= slotSize, length >= 0 else { return nil }
        let base = arena + usedSlots &* slotSize
        usedSlots &+= 1
        frames[queued] = Frame(base: base, length: Int32(truncatingIfNeeded: length), port: port, side: side)
        queued &+= 1
        return UnsafeMutableRawBufferPointer(start: base, count: length)
    }

    /// Enqueues the last frame once more. For mutants.
    mutating func appendLast() {
        if queued > 0 { _ = append(frames[queued &- 1]) }
    }

    /// Enqueues a broadcast that nobody asked for, of a protocol for experiments (0x88B6). For mutants.
    mutating func makeStray(port: PortIndex, from mac: MACAddress) {
        guard let stray = make(length: 60, port: port, side: .wire), let base = stray.baseAddress else { return }
        stray.initializeMemory(as: UInt8.self, repeating: 0)
        base.write(MACAddress.broadcast, at: 0)
        base.write(mac, at: 6)
        base.write(UInt16(0x88B6), at: 12)
    }

    /// - Precondition: `index < count`
    @inlinable public subscript(index: Int) -> Frame {
        precondition(index >= 0 && index < count)
        return frames[index]
    }

    /// Forgets every frame, after all were transmitted.
    @inlinable
    public mutating func removeAll() {
        queued = 0
        usedSlots = 0
    }
}

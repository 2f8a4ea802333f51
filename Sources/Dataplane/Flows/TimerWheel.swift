public import LabTime

/// A coarse timer for each of a fixed number of items: constant time to set, move and cancel, no allocation.
///
/// The wheel has 1024 slots of 2²⁵ ns (about 34 ms), so it turns once in 34 s. An item is never handed out before its
/// time, and at most one slot after it. What is due beyond one turn waits in the last slot and is handed out early,
/// once a turn: the owner compares with the exact time that it keeps, and sets the item again.
public struct TimerWheel: ~Copyable {
    @usableFromInline static var tickShift: Int64 { 25 }
    @usableFromInline static var slots: Int { 1024 }
    @usableFromInline static var none: UInt32 { .max }

    /// Doubly linked, so that an item leaves in constant time; `slot` is -1 for an item that is not set.
    @usableFromInline struct Link: BitwiseCopyable {
        @usableFromInline var previous: UInt32
        @usableFromInline var next: UInt32
        @usableFromInline var slot: Int32
        @usableFromInline init() {
            previous = .max
            next = .max
            slot = -1
        }
    }

    public let capacity: Int
    @usableFromInline let links: UnsafeMutablePointer<Link>
    @usableFromInline let heads: UnsafeMutablePointer<UInt32>
    /// One bit a slot that is not empty.
    @usableFromInline let occupied: UnsafeMutablePointer<UInt64>
    /// Every slot before this tick is empty.
    @usableFromInline var cursor: Int64 = 0
    @usableFromInline var active = 0

    /// - Parameter capacity: items are numbered from 0 up to, not including, this
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        links = TableMemory.allocate(capacity)
        links.initialize(repeating: Link(), count: capacity)
        heads = .allocate(capacity: Self.slots)
        heads.initialize(repeating: Self.none, count: Self.slots)
        occupied = .allocate(capacity: Self.slots / 64)
        occupied.initialize(repeating: 0, count: Self.slots / 64)
    }

    @inlinable
    deinit {
        links.deallocate()
        heads.deallocate()
        occupied.deallocate()
    }

    /// Items that are set.
    public var count: Int { active }

    /// Sets or moves an item's timer. Constant time.
    public mutating func schedule(_ item: UInt32, at due: Instant, now: Instant) {
        cancel(item)
        if active == 0 { cursor = now.nanoseconds >> Self.tickShift }
        let wanted = (due.nanoseconds >> Self.tickShift) &+ 1
        let tick = min(max(wanted, cursor &+ 1), cursor &+ Int64(Self.slots) &- 1)
        let slot = Self.slot(of: tick)
        let head = heads[slot]
        links[Int(item)].previous = Self.none
        links[Int(item)].next = head
        links[Int(item)].slot = Int32(slot)
        if head != Self.none { links[Int(head)].previous = item }
        heads[slot] = item
        occupied[slot >> 6] |= 1 << UInt64(slot & 63)
        active &+= 1
    }

    /// Stops an item's timer; nothing happens where it is not set. Constant time.
    public mutating func cancel(_ item: UInt32) {
        let link = links[Int(item)]
        guard link.slot >= 0 else { return }
        let slot = Int(link.slot)
        if link.previous == Self.none { heads[slot] = link.next } else { links[Int(link.previous)].next = link.next }
        if link.next != Self.none { links[Int(link.next)].previous = link.previous }
        if heads[slot] == Self.none { occupied[slot >> 6] &= ~(1 << UInt64(slot & 63)) }
        links[Int(item)].slot = -1
        active &-= 1
    }

    /// Takes one item that may be due out of the wheel; nil where none is left at `now`.
    public mutating func next(at now: Instant) -> UInt32? {
        let limit = now.nanoseconds >> Self.tickShift
        while active > 0, cursor <= limit {
            let head = heads[Self.slot(of: cursor)]
            if head != Self.none {
                cancel(head)
                return head
            }
            guard let tick = nextOccupied(), tick <= limit else {
                cursor = limit
                return nil
            }
            cursor = tick
        }
        return nil
    }

    /// When `next` may have something; nil where nothing is set.
    public var deadline: Instant? {
        guard active > 0, let tick = nextOccupied() else { return nil }
        return Instant(nanoseconds: tick << Self.tickShift)
    }

    /// The first tick from the cursor on whose slot is not empty.
    private func nextOccupied() -> Int64? {
        let start = Self.slot(of: cursor)
        let words = Self.slots / 64
        // The first word is looked at twice: its bits from `start` on come first, those before it last.
        for step in 0...words {
            let word = (start >> 6 &+ step) % words
            var bits = occupied[word]
            if step == 0 { bits &= ~0 << UInt64(start & 63) }
            if step == words { bits &= ~(~0 << UInt64(start & 63)) }
            guard bits != 0 else { continue }
            let slot = word << 6 | bits.trailingZeroBitCount
            return cursor &+ Int64((slot &- start) & (Self.slots &- 1))
        }
        return nil
    }

    private static func slot(of tick: Int64) -> Int { Int(truncatingIfNeeded: tick) & (slots &- 1) }
}

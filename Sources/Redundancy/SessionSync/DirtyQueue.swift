public import Dataplane
public import Wire

/// Sessions that changed and sessions that ended, whose records wait to be sent: two rings of fixed capacity.
///
/// A session waits at most once, however often it changes, so the peer gets its latest state. Where a ring is full
/// the change is not lost for ever: `overflowed` asks for a bulk transfer.
@usableFromInline
struct DirtyQueue<Family: AddressFamily>: ~Copyable {
    @usableFromInline let indices: UnsafeMutablePointer<FlowIndex>
    @usableFromInline let removals: UnsafeMutablePointer<FlowKey<Family>>
    @usableFromInline let mask: Int
    @usableFromInline var firstIndex = 0
    @usableFromInline var indexCount = 0
    @usableFromInline var firstRemoval = 0
    @usableFromInline var removalCount = 0
    /// A change found no room since the last `removeAll`.
    @usableFromInline var overflowed = false
    /// Grows with each `removeAll`, so that sessions need not be visited to learn that they wait no longer.
    @usableFromInline var round: UInt32 = 1

    init(capacity: Int) {
        var size = 16
        while size < capacity { size *= 2 }
        mask = size - 1
        indices = TableMemory.allocate(size)
        removals = TableMemory.allocate(size)
    }

    @inlinable
    deinit {
        indices.deallocate()
        removals.deallocate()
    }

    @inlinable var isEmpty: Bool { indexCount == 0 && removalCount == 0 }
    @inlinable var count: Int { indexCount &+ removalCount }

    @inlinable
    mutating func append(_ index: FlowIndex) -> Bool {
        guard indexCount <= mask else {
            overflowed = true
            return false
        }
        indices[(firstIndex &+ indexCount) & mask] = index
        indexCount &+= 1
        return true
    }

    /// A removal that finds no room is left to the peer's own timers: the copy there expires by itself.
    @inlinable
    mutating func appendRemoval(_ flow: FlowKey<Family>) {
        guard removalCount <= mask else { return }
        removals[(firstRemoval &+ removalCount) & mask] = flow
        removalCount &+= 1
    }

    @inlinable
    mutating func nextIndex() -> FlowIndex? {
        guard indexCount > 0 else { return nil }
        defer {
            firstIndex = (firstIndex &+ 1) & mask
            indexCount &-= 1
        }
        return indices[firstIndex]
    }

    @inlinable
    mutating func nextRemoval() -> FlowKey<Family>? {
        guard removalCount > 0 else { return nil }
        defer {
            firstRemoval = (firstRemoval &+ 1) & mask
            removalCount &-= 1
        }
        return removals[firstRemoval]
    }

    @inlinable
    mutating func removeAll() {
        firstIndex = 0
        indexCount = 0
        firstRemoval = 0
        removalCount = 0
        overflowed = false
        round &+= 1
    }
}

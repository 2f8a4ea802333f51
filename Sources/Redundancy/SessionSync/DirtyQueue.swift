import Dataplane
import Wire

/// Sessions that changed and sessions that ended, whose records wait to be sent: two rings of fixed capacity.
///
/// A session waits at most once, however often it changes, so the peer gets its latest state. Where a ring is full
/// the change is not lost for ever: `overflowed` asks for a bulk transfer.
struct DirtyQueue: ~Copyable {
    private let indices: UnsafeMutablePointer<FlowIndex>
    private let removals: UnsafeMutablePointer<FiveTuple>
    private let mask: Int
    private var firstIndex = 0
    private var indexCount = 0
    private var firstRemoval = 0
    private var removalCount = 0
    /// A change found no room since the last `removeAll`.
    private(set) var overflowed = false
    /// Grows with each `removeAll`, so that sessions need not be visited to learn that they wait no longer.
    private(set) var round: UInt32 = 1

    init(capacity: Int) {
        var size = 16
        while size < capacity { size *= 2 }
        mask = size - 1
        indices = TableMemory.allocate(size)
        removals = TableMemory.allocate(size)
    }

    deinit {
        indices.deallocate()
        removals.deallocate()
    }

    var isEmpty: Bool { indexCount == 0 && removalCount == 0 }
    var count: Int { indexCount &+ removalCount }

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
    mutating func appendRemoval(_ flow: FiveTuple) {
        guard removalCount <= mask else { return }
        removals[(firstRemoval &+ removalCount) & mask] = flow
        removalCount &+= 1
    }

    mutating func nextIndex() -> FlowIndex? {
        guard indexCount > 0 else { return nil }
        defer {
            firstIndex = (firstIndex &+ 1) & mask
            indexCount &-= 1
        }
        return indices[firstIndex]
    }

    mutating func nextRemoval() -> FiveTuple? {
        guard removalCount > 0 else { return nil }
        defer {
            firstRemoval = (firstRemoval &+ 1) & mask
            removalCount &-= 1
        }
        return removals[firstRemoval]
    }

    mutating func removeAll() {
        firstIndex = 0
        indexCount = 0
        firstRemoval = 0
        removalCount = 0
        overflowed = false
        round &+= 1
    }
}

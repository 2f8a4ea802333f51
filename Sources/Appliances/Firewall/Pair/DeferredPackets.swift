import Dataplane
import LabTime
import Wire

/// Packets that wait until the peer knows their session, in memory of fixed size.
///
/// They leave in the order in which they came, as far as their sessions allow. Where there is no room, a packet does
/// not wait: a full queue costs the promise, not the packet.
struct DeferredPackets: ~Copyable {
    struct Entry {
        var slot: Int
        var length: Int32
        var port: PortIndex
        var index: FlowIndex
        /// When the wait ends.
        var due: Instant
    }

    /// Most packets of a firewall that wait.
    static var standardCapacity: Int { 512 }

    /// How long a packet waits at most.
    let bound: Duration
    private let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private let queue: UnsafeMutablePointer<Entry>
    private let free: UnsafeMutablePointer<Int>
    private var freeCount: Int
    /// Slots whose frames are in an output queue: free once that was transmitted.
    private let leaving: UnsafeMutablePointer<Int>
    private var leavingCount = 0
    private(set) var count = 0

    /// - Parameter capacity: most packets that wait
    init(bound: Duration, capacity: Int) {
        self.bound = bound
        self.capacity = capacity
        memory = .allocate(byteCount: max(1, capacity) * FrameQueue.longestFrame, alignment: 64)
        queue = .allocate(capacity: max(1, capacity))
        free = .allocate(capacity: max(1, capacity))
        leaving = .allocate(capacity: max(1, capacity))
        for slot in 0..<capacity { free[slot] = capacity - 1 - slot }
        freeCount = capacity
    }

    deinit {
        memory.deallocate()
        queue.deallocate()
        free.deallocate()
        leaving.deallocate()
    }

    /// When the oldest has waited long enough.
    var deadline: Instant? { count > 0 ? queue[0].due : nil }

    /// The last output was transmitted: the memory of what was released can be used again.
    mutating func reclaim() {
        while leavingCount > 0 {
            leavingCount -= 1
            free[freeCount] = leaving[leavingCount]
            freeCount += 1
        }
    }

    /// - Returns: false where there is no room
    mutating func hold(_ frame: Frame, of index: FlowIndex, at now: Instant) -> Bool {
        guard freeCount > 0, Int(frame.length) <= FrameQueue.longestFrame else { return false }
        freeCount -= 1
        let slot = free[freeCount]
        address(of: slot).copyMemory(from: frame.base, byteCount: Int(frame.length))
        queue[count] = Entry(slot: slot, length: frame.length, port: frame.port, index: index, due: now + bound)
        count += 1
        return true
    }

    subscript(position: Int) -> Entry {
        precondition(position >= 0 && position < count)
        return queue[position]
    }

    /// Takes a packet out of the queue; its memory stays until `reclaim`.
    mutating func take(at position: Int) -> Frame {
        precondition(position >= 0 && position < count)
        let entry = queue[position]
        for later in (position + 1)..<max(position + 1, count) { queue[later - 1] = queue[later] }
        count -= 1
        leaving[leavingCount] = entry.slot
        leavingCount += 1
        return Frame(base: address(of: entry.slot), length: entry.length, port: entry.port, side: .wire)
    }

    private func address(of slot: Int) -> UnsafeMutableRawPointer { memory + slot * FrameQueue.longestFrame }
}

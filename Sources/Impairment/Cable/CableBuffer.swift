internal import Dataplane
internal import HeapModule
internal import LabTime

/// Frames that a cable keeps: those that wait for an instant, in a heap, and those that wait for something else.
///
/// Bounded in frames and bytes. Memory of a frame that left stays valid until `reclaim`, because a queue of frames on
/// their way out refers to it.
struct CableBuffer: ~Copyable {
    struct Held {
        var base: UnsafeMutableRawPointer
        var length: Int
        var facts: FrameFacts
        /// The rule that decides when it leaves.
        var rule: Int
        /// Frames that must pass first, of those that the rule counts.
        var remaining: Int
        /// Waits for something else than an instant.
        var isWaiting: Bool
        /// Distinguishes its own instants in the heap from those of frames that had the slot before, or that it no
        /// longer waits for.
        var generation: UInt32
        /// Whether its leaving is an event.
        var reportsRelease: Bool
    }

    /// One timer of one frame; equal instants in the order in which they were set.
    private struct Alarm: Comparable {
        var instant: Instant
        var order: UInt64
        var place: Int
        var generation: UInt32

        static func < (a: Alarm, b: Alarm) -> Bool { (a.instant, a.order) < (b.instant, b.order) }
        static func == (a: Alarm, b: Alarm) -> Bool { a.order == b.order }
    }

    private var places: [Held?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []
    private var alarms = Heap<Alarm>()
    private var alarmCount: UInt64 = 0
    private var gone: [UnsafeMutableRawPointer] = []
    private(set) var count = 0
    private(set) var bytes = 0
    let mostFrames: Int
    let mostBytes: Int

    init(mostFrames: Int, mostBytes: Int) {
        self.mostFrames = mostFrames
        self.mostBytes = mostBytes
    }

    deinit {
        for case let held? in places { held.base.deallocate() }
        for base in gone { base.deallocate() }
    }

    /// Copies a frame.
    /// - Returns: its place; nil where it does not fit
    mutating func keep(
        _ frame: UnsafeRawBufferPointer, _ facts: FrameFacts, rule: Int, remaining: Int, isWaiting: Bool,
        reportsRelease: Bool
    ) -> Int? {
        guard count < mostFrames, bytes + frame.count <= mostBytes else { return nil }
        let base = UnsafeMutableRawPointer.allocate(byteCount: max(1, frame.count), alignment: 16)
        if let source = frame.baseAddress { base.copyMemory(from: source, byteCount: frame.count) }
        let place = free.popLast() ?? places.count
        if place == places.count {
            places.append(nil)
            generations.append(0)
        }
        places[place] = Held(
            base: base, length: frame.count, facts: facts, rule: rule, remaining: remaining, isWaiting: isWaiting,
            generation: generations[place], reportsRelease: reportsRelease)
        count += 1
        bytes += frame.count
        return place
    }

    /// - Precondition: a frame is kept there
    subscript(place: Int) -> Held {
        get { places[place]! }
        set { places[place] = newValue }
    }

    /// Lets the frame at a place leave at an instant; an earlier one stays.
    mutating func release(_ place: Int, at instant: Instant) {
        guard let held = places[place] else { return }
        alarms.insert(Alarm(instant: instant, order: alarmCount, place: place, generation: held.generation))
        alarmCount += 1
    }

    private func isCurrent(_ alarm: Alarm) -> Bool { places[alarm.place]?.generation == alarm.generation }

    /// The first instant at which a frame leaves; early where that frame has left already.
    var deadline: Instant? { alarms.min?.instant }

    /// The place of the next frame that is due.
    mutating func nextDue(at now: Instant) -> Int? {
        while let alarm = alarms.min, alarm.instant <= now {
            if isCurrent(alarm) { return alarm.place }
            alarms.removeMin()
        }
        return nil
    }

    /// Forgets the frame at a place; its memory stays until `reclaim`.
    mutating func leave(_ place: Int) {
        guard let held = places[place] else { return }
        places[place] = nil
        generations[place] &+= 1
        free.append(place)
        gone.append(held.base)
        count -= 1
        bytes -= held.length
    }

    /// Forgets every frame.
    mutating func leaveAll() {
        for place in places.indices { leave(place) }
        alarms = Heap()
    }

    /// Frees the frames that left; call when they have been transmitted.
    mutating func reclaim() {
        guard !gone.isEmpty else { return }
        for base in gone { base.deallocate() }
        gone.removeAll(keepingCapacity: true)
    }
}

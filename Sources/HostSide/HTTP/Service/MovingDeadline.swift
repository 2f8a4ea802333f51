internal import HeapModule
internal import LabTime

/// Whom a deadline tells that it has passed.
protocol DeadlineOwner: AnyObject {
    func deadlineHasPassed()
}

/// One deadline that moves often. Moving it is an assignment: its place in the queue is only corrected when that comes
/// up, or when the deadline moves forward.
///
/// Used on its loop's thread alone.
final class MovingDeadline {
    private unowned let queue: DeadlineQueue
    fileprivate unowned let owner: any DeadlineOwner
    fileprivate var deadline: Instant?
    /// The time of the entry in the queue that counts; others of this deadline are void.
    fileprivate var queued: Instant?

    init(in queue: DeadlineQueue, owner: any DeadlineOwner) {
        self.queue = queue
        self.owner = owner
    }

    func set(_ deadline: Instant) {
        self.deadline = deadline
        if let queued, queued <= deadline { return }
        queue.insert(self, at: deadline)
    }

    func clear() { deadline = nil }

    /// Lets go of everything: the owner hears nothing after it.
    func end() {
        deadline = nil
        guard queued != nil else { return }
        queued = nil
        queue.noteVoidEntry()
    }
}

/// The deadlines of all connections of a service, behind one alarm.
///
/// An entry that has become void stays until its time has come, or until there are more void ones than others.
final class DeadlineQueue {
    private struct Entry: Comparable {
        let time: Instant
        let deadline: MovingDeadline

        /// Whether it still is the one that its deadline waits for.
        var counts: Bool { deadline.queued == time }

        static func < (a: Entry, b: Entry) -> Bool { a.time < b.time }
        static func == (a: Entry, b: Entry) -> Bool { a.time == b.time }
    }

    private static let fewEntries = 64

    private let setAlarm: (Instant) -> Void
    private var entries = Heap<Entry>()
    private var void = 0
    private var alarm: Instant?

    /// - Parameter setAlarm: has `expire` called at that time, instead of a later one that it was called with before
    init(setAlarm: @escaping (Instant) -> Void) { self.setAlarm = setAlarm }

    fileprivate func insert(_ deadline: MovingDeadline, at time: Instant) {
        if deadline.queued != nil { void += 1 }
        deadline.queued = time
        entries.insert(Entry(time: time, deadline: deadline))
        arm(for: time)
    }

    fileprivate func noteVoidEntry() {
        void += 1
        guard void > Self.fewEntries, void > entries.count / 2 else { return }
        entries = Heap(entries.unordered.filter(\.counts))
        void = 0
    }

    private func arm(for time: Instant) {
        if let alarm, alarm <= time { return }
        alarm = time
        setAlarm(time)
    }

    /// Tells the owners of the deadlines that are over.
    func expire(at now: Instant) {
        alarm = nil
        while let entry = entries.min, entry.time <= now {
            entries.removeMin()
            guard entry.counts else {
                void = max(0, void - 1)
                continue
            }
            let deadline = entry.deadline
            deadline.queued = nil
            guard let time = deadline.deadline else { continue }
            if time <= now {
                deadline.deadline = nil
                deadline.owner.deadlineHasPassed()
            } else {
                insert(deadline, at: time)
            }
        }
        if let next = entries.min { arm(for: next.time) }
    }
}

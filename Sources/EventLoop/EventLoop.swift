internal import CLinux
internal import Glibc
internal import HeapModule
public import LabTime
public import SystemPackage

/// One epoll loop: descriptors, timers and signals of one process, all on the thread that calls `run`.
///
/// A handler may watch, unwatch, schedule and stop freely. Nothing here starts a thread, so a process may still enter
/// user and PID namespaces after it has made a loop.
public final class EventLoop {
    /// What a descriptor is watched for.
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Interest(rawValue: 0x1)  // EPOLLIN
        public static let writable = Interest(rawValue: 0x4)  // EPOLLOUT
        /// The peer has ended its direction.
        public static let peerEnd = Interest(rawValue: 0x2000)  // EPOLLRDHUP
        /// Reported once for every change, not as long as it lasts. epoll(7)
        public static let edges = Interest(rawValue: 1 << 31)  // EPOLLET
    }

    /// What epoll saw.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Readiness(rawValue: 0x1)  // EPOLLIN
        public static let writable = Readiness(rawValue: 0x4)  // EPOLLOUT
        public static let error = Readiness(rawValue: 0x8)  // EPOLLERR
        public static let hangUp = Readiness(rawValue: 0x10)  // EPOLLHUP
        public static let peerEnd = Readiness(rawValue: 0x2000)  // EPOLLRDHUP
    }

    /// Names a scheduled call, to cancel it.
    public struct Timer: Hashable, Sendable {
        fileprivate let id: UInt64
    }

    /// A descriptor's place in the table.
    private struct Watch {
        /// 0 where it is not watched.
        var generation: UInt32 = 0
        var handler: (any ReadinessHandler)?
    }

    /// A turn's most events; the rest come with the next one.
    private static let mostEvents = 256

    private struct Due: Comparable {
        let at: Instant
        let id: UInt64
        static func < (a: Due, b: Due) -> Bool { (a.at, a.id) < (b.at, b.id) }
    }

    private let epoll: Int32
    /// By descriptor: they are small numbers, and an event costs no search.
    private var watches: ContiguousArray<Watch> = []
    private var generation: UInt32 = 0
    /// Tokens of descriptors that are to be served once more.
    private var again: ContiguousArray<UInt64> = []
    private var beingServedAgain: ContiguousArray<UInt64> = []
    private var dues = Heap<Due>()
    private var bodies: [UInt64: () -> Void] = [:]
    private var nextTimer: UInt64 = 0
    private var isStopped = false
    private var isEnding = false
    private var owned: [Int32] = []

    public init() throws(Errno) {
        epoll = cl_epoll_create()
        guard epoll >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit {
        Glibc.close(epoll)
        for descriptor in owned { Glibc.close(descriptor) }
    }

    /// Closes a descriptor of the loop when the loop is released.
    func own(_ descriptor: Int32) { owned.append(descriptor) }

    /// `CLOCK_MONOTONIC`, the clock of every instant that this loop takes.
    public var now: Instant { .monotonic() }

    /// When the present turn's events were read: as good as `now` for deadlines, and costs nothing.
    public private(set) var turnBegan = Instant.monotonic()

    /// Called at the end of every turn, before the loop waits again.
    public var onTurnEnd: (() -> Void)?

    /// Calls the handler, which the loop keeps, whenever the descriptor is ready. The descriptor stays the caller's.
    public func watch(
        _ descriptor: Int32, for interest: Interest = .readable, telling handler: any ReadinessHandler
    ) throws(Errno) {
        guard !isEnding else { throw .canceled }
        generation = generation == .max ? 1 : generation + 1
        guard cl_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, interest.rawValue, token(descriptor, generation)) == 0
        else { throw Errno(rawValue: errno) }
        while watches.count <= Int(descriptor) { watches.append(Watch()) }
        watches[Int(descriptor)] = Watch(generation: generation, handler: handler)
    }

    /// Calls `handler` whenever the descriptor is ready (level-triggered).
    public func watch(
        _ descriptor: Int32, for interest: Interest = .readable, handler: @escaping (Readiness) -> Void
    ) throws(Errno) {
        try watch(descriptor, for: interest, telling: HandlingFunction(handler))
    }

    /// Changes what a watched descriptor is watched for.
    public func change(_ descriptor: Int32, to interest: Interest) throws(Errno) {
        guard let generation = generation(of: descriptor) else { throw .badFileDescriptor }
        guard cl_epoll_control(epoll, EPOLL_CTL_MOD, descriptor, interest.rawValue, token(descriptor, generation)) == 0
        else { throw Errno(rawValue: errno) }
    }

    /// Call before the descriptor is closed. Its handler is not called any more, not even for events already read.
    public func unwatch(_ descriptor: Int32) {
        guard generation(of: descriptor) != nil else { return }
        watches[Int(descriptor)] = Watch()
        _ = cl_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Like `unwatch`, for a descriptor that is closed right after it and of which there is no other: the kernel ends
    /// its part with it. epoll(7)
    public func forget(_ descriptor: Int32) {
        guard generation(of: descriptor) != nil else { return }
        watches[Int(descriptor)] = Watch()
    }

    /// Calls a watched descriptor's handler in the next turn, without waiting, as readable: for a handler that stops
    /// before it has read all that an edge announced, so that others are served, too.
    public func serveAgain(_ descriptor: Int32) {
        guard let generation = generation(of: descriptor) else { return }
        again.append(token(descriptor, generation))
    }

    private func token(_ descriptor: Int32, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    private func generation(of descriptor: Int32) -> UInt32? {
        guard descriptor >= 0, Int(descriptor) < watches.count else { return nil }
        let generation = watches[Int(descriptor)].generation
        return generation == 0 ? nil : generation
    }

    /// Calls `body` once, at the instant or as soon as possible after it. O(log n)
    @discardableResult
    public func schedule(at instant: Instant, _ body: @escaping () -> Void) -> Timer {
        nextTimer &+= 1
        dues.insert(Due(at: instant, id: nextTimer))
        bodies[nextTimer] = body
        return Timer(id: nextTimer)
    }

    @discardableResult
    public func schedule(after delay: Duration, _ body: @escaping () -> Void) -> Timer {
        schedule(at: now + delay, body)
    }

    /// A timer that has fired, or was cancelled before, is ignored. O(1)
    public func cancel(_ timer: Timer) {
        bodies[timer.id] = nil
    }

    /// Runs until `stop`.
    public func run() {
        isStopped = false
        while !isStopped { turn(block: true) }
    }

    /// Handles what is ready and due; waits for it first if asked.
    public func turn(block: Bool) {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.mostEvents) { events in
            let timeout = block && again.isEmpty ? nanosecondsUntilNextTimer() : 0
            let count = cl_epoll_wait(epoll, events.baseAddress, Int32(Self.mostEvents), timeout)
            turnBegan = now
            swap(&again, &beingServedAgain)
            if count > 0 {
                for i in 0..<Int(count) where !isStopped {
                    deliver(cl_epoll_token(events.baseAddress! + i), Readiness(rawValue: events[i].events))
                }
            }
            for token in beingServedAgain where !isStopped { deliver(token, .readable) }
            beingServedAgain.removeAll(keepingCapacity: true)
        }
        fireDueTimers()
        onTurnEnd?()
    }

    private func deliver(_ token: UInt64, _ readiness: Readiness) {
        let place = Int(UInt32(truncatingIfNeeded: token))
        // The descriptor may have been unwatched, or its number reused, by a handler before this one.
        guard watches[place].generation == UInt32(token >> 32), let handler = watches[place].handler else { return }
        handler.ready(readiness)
    }

    /// Releases every descriptor; each handler is notified. None is watched from now on.
    public func end() {
        isEnding = true
        for place in watches.indices {
            guard let handler = watches[place].handler else { continue }
            unwatch(Int32(place))
            handler.loopEnds()
        }
        onTurnEnd?()
    }

    /// `run` returns after the handler that calls this.
    public func stop() { isStopped = true }

    private func nanosecondsUntilNextTimer() -> Int64 {
        while let first = dues.min, bodies[first.id] == nil { _ = dues.popMin() }
        guard let first = dues.min else { return -1 }
        return max(0, (first.at - now).nanoseconds)
    }

    private func fireDueTimers() {
        guard let first = dues.min else { return }
        let now = self.now
        guard first.at <= now else { return }
        // Timers that a timer schedules for "now" wait for the next turn, so that descriptors are not starved.
        let newest = nextTimer
        while !isStopped, let due = dues.min, due.at <= now, due.id <= newest {
            _ = dues.popMin()
            bodies.removeValue(forKey: due.id)?()
        }
    }
}

extension Instant {
    /// The monotonic clock now.
    public static func monotonic() -> Instant {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return Instant(nanoseconds: Int64(t.tv_sec) &* 1_000_000_000 &+ Int64(t.tv_nsec))
    }
}

extension Timestamp {
    /// The wall clock now: the clock with which the kernel stamps captured frames.
    public static func now() -> Timestamp {
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        return Timestamp(nanoseconds: Int64(t.tv_sec) &* 1_000_000_000 &+ Int64(t.tv_nsec))
    }
}

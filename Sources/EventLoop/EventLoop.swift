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
    }

    /// What epoll saw.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Readiness(rawValue: 0x1)  // EPOLLIN
        public static let writable = Readiness(rawValue: 0x4)  // EPOLLOUT
        public static let error = Readiness(rawValue: 0x8)  // EPOLLERR
        public static let hangUp = Readiness(rawValue: 0x10)  // EPOLLHUP
    }

    /// Names a scheduled call, to cancel it.
    public struct Timer: Hashable, Sendable {
        fileprivate let id: UInt64
    }

    private struct Watch {
        let generation: UInt32
        let handler: (Readiness) -> Void
    }

    private struct Due: Comparable {
        let at: Instant
        let id: UInt64
        static func < (a: Due, b: Due) -> Bool { (a.at, a.id) < (b.at, b.id) }
    }

    private let epoll: Int32
    private var watches: [Int32: Watch] = [:]
    private var generation: UInt32 = 0
    private var dues = Heap<Due>()
    private var bodies: [UInt64: () -> Void] = [:]
    private var nextTimer: UInt64 = 0
    private var isStopped = false
    private var owned: [Int32] = []

    public init() throws(Errno) {
        epoll = cl_epoll_create()
        guard epoll >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit {
        Glibc.close(epoll)
        for descriptor in owned { Glibc.close(descriptor) }
    }

    /// Closes a descriptor of the loop's own when the loop goes.
    func own(_ descriptor: Int32) { owned.append(descriptor) }

    /// `CLOCK_MONOTONIC`, the clock of every instant that this loop takes.
    public var now: Instant { .monotonic() }

    /// Calls `handler` whenever the descriptor is ready (level-triggered). The descriptor stays the caller's.
    public func watch(
        _ descriptor: Int32, for interest: Interest = .readable, handler: @escaping (Readiness) -> Void
    ) throws(Errno) {
        generation &+= 1
        let token = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        guard cl_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, interest.rawValue, token) == 0 else {
            throw Errno(rawValue: errno)
        }
        watches[descriptor] = Watch(generation: generation, handler: handler)
    }

    /// Changes what a watched descriptor is watched for.
    public func change(_ descriptor: Int32, to interest: Interest) throws(Errno) {
        guard let watch = watches[descriptor] else { throw .badFileDescriptor }
        let token = UInt64(watch.generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        guard cl_epoll_control(epoll, EPOLL_CTL_MOD, descriptor, interest.rawValue, token) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// Call before the descriptor is closed. Its handler is not called any more, not even for events already read.
    public func unwatch(_ descriptor: Int32) {
        guard watches.removeValue(forKey: descriptor) != nil else { return }
        _ = cl_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
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
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let timeout = block ? nanosecondsUntilNextTimer() : 0
            let count = cl_epoll_wait(epoll, events.baseAddress, 64, timeout)
            if count > 0 {
                for i in 0..<Int(count) where !isStopped {
                    let token = cl_epoll_token(events.baseAddress! + i)
                    let descriptor = Int32(truncatingIfNeeded: token)
                    // The descriptor may have been unwatched, or its number reused, by a handler before this one.
                    guard let watch = watches[descriptor], watch.generation == UInt32(token >> 32) else { continue }
                    watch.handler(Readiness(rawValue: events[i].events))
                }
            }
        }
        fireDueTimers()
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

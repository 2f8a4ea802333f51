internal import Glibc
public import LabTime

/// Measures how late a loop's thread runs, by a timer of its own.
///
/// A machine that gives the thread no processor, and a kernel that keeps it waiting in a call, both show as a timer
/// that is served late. Processor time that the thread used itself meanwhile is its own work and does not count.
/// A delay of at least `period` + `bound` is always seen, a shorter one where it happens to cover the timer.
public final class DelayWatch {
    /// The thread was kept from running between two instants.
    public struct Delay: Hashable, Sendable {
        /// When the timer was due.
        public var from: Instant
        /// When it was served.
        public var to: Instant
        /// The part of it in which the thread did no work of its own.
        public var waited: Duration
    }

    public static let period = Duration.milliseconds(20)
    /// Delays shorter than this are not reported.
    public static let bound = Duration.milliseconds(10)

    private let loop: EventLoop
    private let report: (Delay) -> Void
    private var due: Instant
    private var processorTime: Duration

    /// Begins at once; call on the loop's thread.
    public init(on loop: EventLoop, report: @escaping (Delay) -> Void) {
        self.loop = loop
        self.report = report
        processorTime = Self.processorTimeOfThread
        due = loop.now + Self.period
        schedule()
    }

    private func schedule() {
        loop.schedule(at: due) { [weak self] in self?.fired() }
    }

    private func fired() {
        let (now, processorTime) = (loop.now, Self.processorTimeOfThread)
        let delay = Self.delay(due: due, now: now, worked: processorTime - self.processorTime)
        self.processorTime = processorTime
        due = now + Self.period
        schedule()
        if let delay { report(delay) }
    }

    /// - Parameter worked: processor time that the thread used since the timer was set
    /// - Returns: nil where the thread was hardly kept from running
    static func delay(due: Instant, now: Instant, worked: Duration) -> Delay? {
        let late = now - due
        let waited = late - min(late, worked)
        return waited >= bound ? Delay(from: due, to: now, waited: waited) : nil
    }

    private static var processorTimeOfThread: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}

internal import EventLoop
internal import HTTPExchange
internal import LabTime

/// What the HTTP services of one thread share: its loop, and memory that is in use only while an event is handled.
final class ServiceThread {
    /// What one call may read.
    private static let readSize = 65_536

    let loop: EventLoop
    let deadlines: DeadlineQueue
    let memory = ExchangeMemory()
    let accessLog: AccessLogFile?
    /// What a client or a member has sent, until it is handled.
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 64)

    init(on loop: EventLoop, accessLog: AccessLogFile?) {
        self.loop = loop
        self.accessLog = accessLog
        var alarm: EventLoop.Timer?
        weak var expiring: DeadlineQueue?
        deadlines = DeadlineQueue { [unowned loop] time in
            if let alarm { loop.cancel(alarm) }
            alarm = loop.schedule(at: time) { [unowned loop] in expiring?.expire(at: loop.now) }
        }
        expiring = deadlines
        // At load many lines leave by one call, and in a quiet lab each at once.
        loop.onTurnEnd = { accessLog?.flush() }
    }

    deinit { input.deallocate() }
}

extension Instant {
    /// Later by so many nanoseconds: to add a `Duration` costs a division.
    static func + (instant: Instant, nanoseconds: Int64) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &+ nanoseconds)
    }
}

internal import EventLoop
internal import LabTime

/// What the HTTP services of one thread share: its loop, and memory that is in use only while an event is handled.
final class ServiceMeans {
    /// What one call may read.
    private static let readSize = 65_536

    let loop: EventLoop
    let deadlines: DeadlineQueue
    let buffers = BufferPool()
    let accessLog: AccessLogFile?
    /// What a client has sent, until it is handled; and what a member has, while clients may be read again.
    let clientInput = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 64)
    let memberInput = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 64)
    /// What goes to one client, or to one member, until it is sent: by the end of the event that brought it.
    let toClient = MessageBuffer(capacity: 16_384, keeping: 131_072)
    let toMember = MessageBuffer(capacity: 16_384, keeping: 131_072)

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

    /// What was gathered for one of them must never reach another one.
    func checkNothingIsLeft() { precondition(toClient.isEmpty && toMember.isEmpty) }

    deinit {
        clientInput.deallocate()
        memberInput.deallocate()
    }
}

extension Instant {
    /// Later by so many nanoseconds: to add a `Duration` costs a division.
    static func + (instant: Instant, nanoseconds: Int64) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &+ nanoseconds)
    }
}

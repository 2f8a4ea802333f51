internal import Appliances
internal import Dataplane
internal import LabEvents
internal import LabTime

/// Sends everything from port 0 by port 1 and the other way round: what the I/O costs without a dataplane.
struct PassThrough: Appliance, ~Copyable {
    mutating func start(at now: Instant, into output: inout FrameQueue) {}

    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        for var frame in frames {
            frame.port = 1 &- frame.port
            // The queue is longer than a batch.
            _ = output.append(frame)
        }
    }

    var deadline: Instant? { nil }
    mutating func advance(to now: Instant, into output: inout FrameQueue) {}
    mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply { .refused(reason: "it only forwards") }
    mutating func takeEvents() -> [ApplianceEvent] { [] }
    var counters: [CounterReading] { [] }
}

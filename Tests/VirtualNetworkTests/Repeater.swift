import Appliances
import Dataplane
import LabEvents
import LabTime

/// What comes in at one of two ports leaves by the other; a timer of 10 ms sends one byte by port 0.
struct Repeater: Appliance, ~Copyable {
    var deadline: Instant?
    private var events: [ApplianceEvent] = []

    mutating func start(at now: Instant, into output: inout FrameQueue) {
        deadline = now + .milliseconds(10)
        events.append(ApplianceEvent(.ready, at: now))
    }

    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        for var frame in frames {
            frame.port ^= 1
            _ = output.append(frame)
        }
    }

    mutating func advance(to now: Instant, into output: inout FrameQueue) {
        deadline = now + .milliseconds(10)
        output.make(length: 1, port: 0, side: .wire)?.copyBytes(from: [1])
    }

    mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        guard case .carrier = command else { return .refused(reason: "it repeats") }
        events.append(ApplianceEvent(.armed, at: now))
        return .done
    }

    mutating func takeEvents() -> [ApplianceEvent] {
        defer { events = [] }
        return events
    }

    var counters: [CounterReading] { [] }
}

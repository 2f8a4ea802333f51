import Appliances
import Dataplane
import LabEvents
import LabTime
import Testing

/// What a box and its links were called for, in order.
private final class CallLog {
    var calls: [String] = []
    var clock: Int64 = 0
}

/// Frames of one byte, their number. Each is answered by the number plus 100; a timer sends 200, a command 201.
private struct LoggedBox: Appliance, ~Copyable {
    let log: CallLog
    var deadline: Instant?
    private var events: [ApplianceEvent] = []

    init(_ log: CallLog, deadline: Int64? = nil) {
        self.log = log
        self.deadline = deadline.map(Instant.init(nanoseconds:))
    }

    mutating func start(at now: Instant, into output: inout FrameQueue) { act("start", sends: [199], now, &output) }

    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        log.calls.append("process \(frames.map { $0.bytes[0] }) at \(now.nanoseconds)")
        for frame in frames {
            frame.bytes[0] += 100
            _ = output.append(frame)
        }
        events.append(ApplianceEvent(.limited, at: now))
    }

    mutating func advance(to now: Instant, into output: inout FrameQueue) {
        deadline = nil
        act("timer", sends: [200], now, &output)
    }

    mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        if case .carrier(let port, let isUp) = command {
            act("\(port) \(isUp ? "up" : "down")", sends: [], now, &output)
        } else {
            act("command", sends: [201], now, &output)
        }
        return .done
    }

    private mutating func act(_ name: String, sends: [UInt8], _ now: Instant, _ output: inout FrameQueue) {
        log.calls.append("\(name) at \(now.nanoseconds)")
        for byte in sends { output.make(length: 1, port: 0, side: .wire)?.copyBytes(from: [byte]) }
        events.append(ApplianceEvent(.armed, at: now))
    }

    mutating func takeEvents() -> [ApplianceEvent] {
        log.calls.append("events \(events.map(\.at.nanoseconds))")
        defer { events = [] }
        return events
    }

    var counters: [CounterReading] { [] }
}

/// Batches of frames that wait; each takes a nanosecond to receive.
private struct LoggedLinks: ApplianceLinks, ~Copyable {
    let log: CallLog
    var waiting: [[UInt8]]
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)

    init(_ log: CallLog, waiting: [[UInt8]]) {
        self.log = log
        self.waiting = waiting
    }

    deinit { memory.deallocate() }

    var now: Instant { Instant(nanoseconds: log.clock) }

    mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int {
        guard !waiting.isEmpty else { return 0 }
        let batch = waiting.removeFirst()
        memory.copyBytes(from: batch)
        for index in batch.indices {
            frames.initializeElement(
                at: index, to: Frame(base: memory.baseAddress! + index, length: 1, port: 0, side: .wire))
        }
        log.clock += 1
        return batch.count
    }

    mutating func transmit(_ frames: borrowing FrameQueue) {
        log.calls.append("send \((0..<frames.count).map { frames[$0].bytes[0] })")
    }

    mutating func release() { log.calls.append("release") }
}

/// The order of frames, commands, timers and events.
struct ApplianceDriverTests {
    private typealias Driver = ApplianceDriver<LoggedBox, LoggedLinks>

    private func driver(
        _ log: CallLog, deadline: Int64? = nil, waiting: [[UInt8]] = [], starts: Bool = true
    ) -> Driver {
        var driver = Driver(
            LoggedBox(log, deadline: deadline), links: LoggedLinks(log, waiting: waiting),
            output: FrameQueue(capacity: 16, slots: 4, slotSize: 16))
        if starts {
            driver.start()
            log.calls = []
        }
        return driver
    }

    private func check(
        _ driver: inout Driver, receives: Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let hasReceived = driver.receive()
        #expect(hasReceived == receives, sourceLocation: sourceLocation)
    }

    private func check(
        _ driver: inout Driver, performs command: ApplianceCommand, aheadOfFrames: Bool = false,
        replies expected: ApplianceReply, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let reply = driver.perform(command, aheadOfFrames: aheadOfFrames)
        #expect(reply == expected, sourceLocation: sourceLocation)
    }

    @Test func `it starts the box, sends its first frames, and takes what came before after that`() {
        let log = CallLog()
        var driver = driver(log, waiting: [[1]], starts: false)
        let (hasReceived, deadline) = (driver.receive(), driver.deadline)
        #expect(!hasReceived && deadline == nil)
        check(&driver, performs: .switchover, replies: .refused(reason: "the box does not run"))
        #expect(log.calls == [])
        driver.start()
        driver.start()
        #expect(log.calls == ["start at 0", "send [199]", "release"])
        log.calls = []
        check(&driver, receives: true)
        #expect(log.calls == ["process [1] at 1", "send [101]", "release"])
    }

    @Test func `frames of a batch are processed together, sent, and only then released`() {
        let log = CallLog()
        var driver = driver(log, waiting: [[1, 2, 3], [4]])
        check(&driver, receives: true)
        #expect(log.calls == ["process [1, 2, 3] at 1", "send [101, 102, 103]", "release"])
        log.calls = []
        check(&driver, receives: true)
        #expect(log.calls == ["process [4] at 2", "send [104]", "release"])
        log.calls = []
        // What is no port's takes memory too.
        check(&driver, receives: false)
        #expect(log.calls == ["release"])
    }

    @Test func `timers that are due follow the frames of the batch`() {
        let log = CallLog()
        var driver = driver(log, deadline: 2, waiting: [[1], [2]])
        let deadline = driver.deadline
        #expect(deadline == Instant(nanoseconds: 2))
        check(&driver, receives: true)
        #expect(log.calls == ["process [1] at 1", "send [101]", "release"])
        log.calls = []
        check(&driver, receives: true)
        #expect(log.calls == ["process [2] at 2", "timer at 2", "send [102, 200]", "release"])
        let later = driver.deadline
        #expect(later == nil)
    }

    @Test func `a timer fires when it is due, and not before`() {
        let log = CallLog()
        var driver = driver(log, deadline: 5)
        log.clock = 4
        driver.advance()
        #expect(log.calls == ["release"])
        log.calls = []
        log.clock = 5
        driver.advance()
        #expect(log.calls == ["timer at 5", "send [200]", "release"])
    }

    @Test func `a command follows all frames that arrived before it, and its frames precede the reply`() {
        let log = CallLog()
        var driver = driver(log, deadline: 2, waiting: [[1, 2], [3]])
        check(&driver, performs: .switchover, replies: .done)
        #expect(
            log.calls == [
                "process [1, 2] at 1", "send [101, 102]", "release", "process [3] at 2", "timer at 2",
                "send [103, 200]", "release", "release", "command at 2", "send [201]", "release",
            ])
    }

    @Test func `under a flood a command waits for so many batches, and no more`() {
        let log = CallLog()
        var driver = driver(log, waiting: Array(repeating: [1], count: 20))
        check(&driver, performs: .switchover, replies: .done)
        #expect(log.calls.filter { $0.hasPrefix("process") }.count == Driver.mostBatches)
        #expect(log.calls.suffix(3) == ["command at 8", "send [201]", "release"])
    }

    @Test func `a command while events are reported, and a change of carrier, go ahead of the frames`() {
        let log = CallLog()
        var driver = driver(log, waiting: [[1]])
        check(&driver, performs: .switchover, aheadOfFrames: true, replies: .done)
        driver.carrierChanged(port: "inside", isUp: false)
        check(&driver, receives: true)
        #expect(
            log.calls == [
                "command at 0", "send [201]", "release", "inside down at 0", "release", "process [1] at 1",
                "send [101]", "release",
            ])
    }

    @Test func `events come after the frames of the same call, in order`() {
        let log = CallLog()
        var driver = driver(log, waiting: [[1], [2]])
        _ = driver.takeEvents()
        log.calls = []
        check(&driver, receives: true)
        check(&driver, performs: .switchover, replies: .done)
        let events = driver.takeEvents()
        #expect(events.map(\.kind) == [.limited, .limited, .armed])
        #expect(events.map(\.at.nanoseconds) == [1, 2, 2])
        #expect(log.calls.last == "events [1, 2, 2]")
        #expect(log.calls.dropLast().suffix(2) == ["send [201]", "release"])
    }

    @Test func `a stopped box is left alone`() {
        let log = CallLog()
        var driver = driver(log, deadline: 0, waiting: [[1]])
        driver.stop()
        let (hasReceived, deadline) = (driver.receive(), driver.deadline)
        #expect(!hasReceived && deadline == nil)
        driver.advance()
        driver.carrierChanged(port: "inside", isUp: false)
        check(&driver, performs: .switchover, replies: .refused(reason: "the box does not run"))
        #expect(log.calls == [])
    }
}

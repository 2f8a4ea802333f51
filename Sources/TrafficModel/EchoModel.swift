package import LabTime
internal import Measurement

/// A long-lived flow of ICMP echo requests with numbered data at a fixed cadence (`ping`).
///
/// No outage ends it: what is not answered is lost, and it asks on. After its last request it waits for answers, at most
/// the timeout. It survives where one of the requests of its last timeout was answered.
package struct EchoModel: FlowModel, Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case asking
        /// Nothing is asked any more; at `until` it ends, whatever is answered by then.
        case waiting(until: Instant)
        case ended
    }

    private let identity: FlowIdentity
    private let started: Instant
    private(set) var phase = Phase.asking
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule
    /// After how many requests it waits; nil where it does so only when it is to finish.
    private let count: Int?
    private var lastAsked: Instant
    private var lastAnswered: Instant?
    /// What the kernel reported since the last answer: that there is no route, or an ICMP error.
    private var trouble: FlowEnding?
    private var garbage = 0
    /// Of the request that is sent; kept for its memory.
    private var bytes: [UInt8] = []

    package init(_ identity: FlowIdentity, offset: Duration, at now: Instant) {
        self.identity = identity
        started = now
        lastAsked = now
        count = identity.program.options(of: PingTraffic.self)?.count
        meter = identity.meter(cadence: identity.program.every)
        schedule = OpenLoopSchedule(start: now + offset, every: identity.program.every)
    }

    package var deadline: Instant? {
        switch phase {
        case .asking: schedule.nextDue
        case .waiting(let until): until
        case .ended: nil
        }
    }

    package var wantsToSend: Bool { false }
    package var late: Int { schedule.late }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        switch (phase, input) {
        case (.ended, _), (_, .connected), (_, .writable), (.waiting, .finish): break
        case (_, .failed(let ending)): end(ending, &events)
        case (_, .readable): read(now, &transport, &events)
        case (.asking, .time): askWhatIsDue(now, &transport, &events)
        case (.waiting(let until), .time):
            guard until <= now else { break }
            // Answers that are here already count, although a busy machine has not let this process read them.
            read(now, &transport, &events)
            end(ending, &events)
        case (.asking, .finish):
            if meter.newest == nil { ask(now, &transport, &events) }
            wait(now)
        }
        return events
    }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard phase != .ended else { return }
        phase = .ended
        events.append(.ended(ending))
    }

    private var ending: FlowEnding {
        if let lastAnswered, lastAnswered + identity.timeout >= lastAsked { return .survived }
        return trouble ?? .timedOut(identity.program, waitingFor: "answer")
    }

    // MARK: Asking

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        while phase == .asking, schedule.take(at: now) != nil {
            ask(now, &transport, &events)
            if let count, meter.sent >= count { wait(now) }
        }
    }

    /// A request that the kernel could not send, for want of a route, is a request without an answer.
    private mutating func ask(_ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]) {
        bytes.removeAll(keepingCapacity: true)
        identity.record(meter.newest.map { $0 + 1 } ?? 0, at: now).append(to: &bytes)
        switch bytes.withUnsafeBytes({ transport.send($0) }) {
        case .bytes, .endOfStream: break
        case .wouldBlock: return events.append(.skipped("the socket's send buffer is full"))
        case .failed(let ending): trouble = ending
        }
        _ = meter.ask(at: now)
        lastAsked = now
    }

    private mutating func wait(_ now: Instant) {
        phase = .waiting(until: meter.isSettled ? now : lastAsked + identity.timeout)
    }

    // MARK: Answers

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let outcome = transport.receive { data in
            take(data, now, &events)
            return phase != .ended
        }
        if case .failed(let ending) = outcome { trouble = ending }
    }

    private mutating func take(_ data: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        guard let record = ProbeRecord(datagram: data), identity.isOwn(record) else {
            garbage += 1
            return
        }
        let received = meter.received
        meter.answered(record.sequence, at: now)
        guard meter.received > received else { return }
        (lastAnswered, trouble) = (now, nil)
        if received == 0 { events.append(.firstAnswer) }
        if case .waiting = phase, meter.isSettled { end(.survived, &events) }
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        FlowFigures(
            started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome),
            garbage: garbage + meter.unasked)
    }
}

package import LabTime
internal import Measurement

/// One request of `udp-request` from a new source port, repeated every `retryEvery` until it is answered or timed out;
/// the timeout runs from the first request. Each repetition has a number of its own and counts as sent. Of a burst, all
/// requests are to be answered, and those that are not are repeated.
package struct RequestModel: FlowModel, Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case asking
        /// - Parameter latency: until the answer; nil without one
        case ended(latency: Duration?)
    }

    private let identity: FlowIdentity
    private let started: Instant
    private(set) var phase = Phase.asking
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule
    private var garbage = 0
    /// Requests of the burst without an answer, and for which of them each datagram asks, by its number.
    private var open: Set<Int>
    private var asked: [Int] = []

    package init(_ identity: FlowIdentity, at now: Instant) {
        self.identity = identity
        started = now
        meter = identity.meter(cadence: identity.program.retryEvery)
        schedule = OpenLoopSchedule(start: now, every: identity.program.retryEvery)
        open = Set(0..<identity.program.burst)
    }

    private var timesOutAt: Instant { started + identity.timeout }

    private var hasEnded: Bool { phase != .asking }

    package var deadline: Instant? { hasEnded ? nil : min(schedule.nextDue, timesOutAt) }
    package var wantsToSend: Bool { false }
    package var late: Int { 0 }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        switch (phase, input) {
        case (.ended, _): break
        case (.asking, .failed(let ending)): end(ending, &events)
        // It has asked already: it ends as it would have.
        case (.asking, .connected), (.asking, .writable), (.asking, .finish): break
        case (.asking, .readable): read(now, &transport, &events)
        case (.asking, .time):
            askWhatIsDue(now, &transport, &events)
            guard !hasEnded, timesOutAt <= now else { break }
            // What is here already counts, although a busy machine has not let this process read it.
            read(now, &transport, &events)
            end(.timedOut(identity.program, waitingFor: "answer"), &events)
        }
        return events
    }

    private mutating func end(_ ending: FlowEnding, latency: Duration? = nil, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        phase = .ended(latency: latency)
        events.append(.ended(ending))
    }

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        // After a hold-up one repetition is enough: an application repeats because of silence, not of a clock.
        var isDue = false
        while schedule.take(at: now) != nil { isDue = true }
        guard isDue else { return }
        for request in open.sorted() where !hasEnded { ask(request, now, &transport, &events) }
    }

    private mutating func ask(
        _ request: Int, _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        var bytes: [UInt8] = []
        identity.record(meter.newest.map { $0 + 1 } ?? 0, at: now).append(to: &bytes)
        switch bytes.withUnsafeBytes({ transport.send($0) }) {
        case .bytes, .endOfStream:
            _ = meter.ask(at: now)
            asked.append(request)
        case .wouldBlock: break
        case .failed(let ending): end(ending, &events)
        }
    }

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let outcome = transport.receive { datagram in
            take(datagram, now, &events)
            return !hasEnded
        }
        if case .failed(let ending) = outcome { end(ending, &events) }
    }

    private mutating func take(_ datagram: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        guard let record = ProbeRecord(datagram: datagram), identity.isOwn(record) else {
            garbage += 1
            return
        }
        meter.answered(record.sequence, at: now)
        guard record.sequence < UInt64(asked.count) else { return }
        open.remove(asked[Int(record.sequence)])
        guard open.isEmpty else { return }
        events.append(.firstAnswer)
        end(.survived, latency: now - started, &events)
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        var figures = FlowFigures(
            started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome), garbage: garbage)
        if case .ended(let latency) = phase { figures.latency = latency }
        return figures
    }
}

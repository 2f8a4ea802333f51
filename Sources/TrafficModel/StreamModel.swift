package import LabTime
internal import Measurement

/// A long-lived TCP connection with a numbered request at a fixed cadence (`tcp-stream`).
///
/// The cadence begins when the connection is established. What the send buffer does not take waits here, up to
/// `mostWaiting` bytes, and counts as sent when it was due: the application has asked.
package struct StreamModel: FlowModel, Sendable {
    /// Bytes that may wait for the send buffer before further requests are skipped.
    package static let mostWaiting = 1 << 20

    enum Phase: Hashable, Sendable {
        case connecting(finishesEarly: Bool)
        case asking
        /// `endsAt` where everything is answered already: not from within the step that finishes.
        case finishing(endsAt: Instant?)
        case ended
    }

    private let identity: FlowIdentity
    /// After the handshake, before the first request: flows of one program do not all ask at the same moment.
    private let offset: Duration
    private(set) var phase = Phase.connecting(finishesEarly: false)
    private var started: Instant
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule?
    /// When it looks whether it has timed out: moves on to where the timeout really ends by then.
    private var nextLook: Instant
    private var parser = ProbeParser()
    private var garbage = 0
    private var waiting: [UInt8] = []

    package init(_ identity: FlowIdentity, offset: Duration, at now: Instant) {
        self.identity = identity
        self.offset = offset
        started = now
        nextLook = now + identity.timeout
        meter = identity.meter(cadence: identity.program.every)
    }

    package var deadline: Instant? {
        switch phase {
        case .connecting: nextLook
        case .asking: min(schedule?.nextDue ?? nextLook, nextLook)
        case .finishing(let endsAt): min(endsAt ?? nextLook, nextLook)
        case .ended: nil
        }
    }

    package var wantsToSend: Bool { !waiting.isEmpty }
    package var late: Int { schedule?.late ?? 0 }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        switch (phase, input) {
        case (.ended, _): break
        case (.connecting(let finishesEarly), .connected):
            phase = .asking
            schedule = OpenLoopSchedule(start: now + offset, every: identity.program.every)
            nextLook = now + identity.timeout
            if finishesEarly { finish(now, &transport, &events) } else { askWhatIsDue(now, &transport, &events) }
        case (.connecting, .finish): phase = .connecting(finishesEarly: true)
        case (.connecting, .time):
            if nextLook <= now { end(.timedOut(identity.program, waitingFor: "connection"), &events) }
        case (.connecting, .writable), (.connecting, .readable): break
        case (.asking, .connected), (.finishing, .connected): break
        case (_, .writable): flush(now, &transport, &events)
        case (_, .readable): read(now, &transport, &events)
        case (_, .time): timePassed(now, &transport, &events)
        case (.asking, .finish): finish(now, &transport, &events)
        case (.finishing, .finish): break
        }
        return events
    }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard phase != .ended else { return }
        phase = .ended
        events.append(.ended(ending))
    }

    // MARK: Asking

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        while schedule?.take(at: now) != nil { ask(now, &events) }
        flush(now, &transport, &events)
    }

    private mutating func ask(_ now: Instant, _ events: inout [FlowEvent]) {
        guard waiting.count + identity.program.payload <= Self.mostWaiting else {
            events.append(.skipped("\(Self.mostWaiting) bytes wait already for the connection's send buffer"))
            return
        }
        identity.record(meter.ask(at: now), at: now).append(to: &waiting)
    }

    private mutating func flush(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        var written = 0
        while written < waiting.count {
            let outcome = waiting.withUnsafeBytes { transport.send(UnsafeRawBufferPointer(rebasing: $0[written...])) }
            if case .bytes(let count) = outcome {
                written += count
            } else if case .failed(let ending) = outcome {
                // What the peer has sent before is read first, for it may hold answers.
                read(now, &transport, &events)
                return end(ending, &events)
            } else {
                break
            }
        }
        waiting.removeFirst(written)
    }

    // MARK: Answers

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let outcome = transport.receive { bytes in
            take(bytes, now, &events)
            return phase != .ended
        }
        switch outcome {
        case .endOfStream: end(.closedByPeer, &events)
        case .failed(let ending): end(ending, &events)
        case .bytes, .wouldBlock: break
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        let wasUnanswered = meter.received == 0
        let identity = identity
        parser.consume(bytes) { record in
            if identity.isOwn(record) { meter.answered(record.sequence, at: now) } else { garbage += record.length }
        }
        if wasUnanswered, meter.received > 0 { events.append(.firstAnswer) }
        if case .finishing = phase, meter.isSettled { end(.survived, &events) }
    }

    // MARK: Ending

    private mutating func finish(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        phase = .finishing(endsAt: nil)
        // A flow that is to finish before its first request asks once, so that it has an outcome.
        if meter.newest == nil {
            ask(now, &events)
            flush(now, &transport, &events)
        }
        if case .finishing = phase, meter.isSettled { phase = .finishing(endsAt: now) }
    }

    private mutating func timePassed(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        if case .asking = phase, let schedule, schedule.nextDue <= now { askWhatIsDue(now, &transport, &events) }
        if case .finishing(let endsAt?) = phase, endsAt <= now { end(.survived, &events) }
        guard phase != .ended, nextLook <= now else { return }
        // Answers that are here already count, although a busy machine has not let this process read them.
        read(now, &transport, &events)
        if meter.hasTimedOut(at: now) { end(.timedOut(identity.program, waitingFor: "answer"), &events) }
        nextLook = meter.timesOutAt ?? now + identity.timeout
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        FlowFigures(
            started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome),
            garbage: parser.garbage + garbage)
    }
}

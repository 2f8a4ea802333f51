package import LabTime
internal import Measurement

/// A long-lived TCP connection with a numbered request at a fixed cadence (`tcp-stream`).
///
/// The cadence begins when the connection is established. What the send buffer does not take waits here, up to
/// `mostWaiting` bytes, and counts as sent when it was due: the application has asked.
///
/// A flow that reconnects goes on after an error, over another connection. What was unanswered then, and what falls due
/// until that connection is established, stays without an answer and is lost.
package struct StreamModel: FlowModel, Sendable {
    /// Bytes that may wait for the send buffer before further requests are skipped.
    package static let mostWaiting = 1 << 20

    enum Phase: Hashable, Sendable {
        case connecting(finishesEarly: Bool)
        case asking
        /// The connection has its greatest age: it is followed by another when all is answered.
        case retiring
        /// After an error, for the next attempt.
        case waiting(until: Instant)
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
    private var connections: ConnectionHistory

    package init(_ identity: FlowIdentity, offset: Duration, at now: Instant) {
        self.identity = identity
        self.offset = offset
        started = now
        nextLook = now + identity.timeout
        meter = identity.meter(cadence: identity.program.every)
        connections = ConnectionHistory(
            reconnect: identity.program.options.reconnect, maximumAge: identity.program.maximumAge)
    }

    package var deadline: Instant? {
        switch phase {
        case .connecting: min(missedNext ?? nextLook, nextLook)
        case .asking: min(schedule?.nextDue ?? nextLook, connections.retiresAt ?? nextLook, nextLook)
        case .retiring: nextLook
        case .waiting(let until): min(missedNext ?? until, until)
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
        case (_, .failed(let ending)): failed(ending, now, &events)
        case (.connecting(let finishesEarly), .connected):
            connected(now)
            if finishesEarly {
                finish(now, asksAgain: true, &transport, &events)
            } else {
                askWhatIsDue(now, &transport, &events)
            }
        case (.connecting, .finish): phase = .connecting(finishesEarly: true)
        case (.connecting, .time):
            missWhatIsDue(now)
            if nextLook <= now { failed(.timedOut(identity.program, waitingFor: "connection"), now, &events) }
        case (.connecting, .writable), (.connecting, .readable): break
        case (.waiting(let until), .time):
            missWhatIsDue(now)
            if until <= now { open(now, &events) }
        case (.waiting, .finish): if let ending = connections.loss?.ending { end(ending, &events) }
        case (.waiting, .connected), (.waiting, .writable), (.waiting, .readable): break
        case (.asking, .connected), (.retiring, .connected), (.finishing, .connected): break
        case (_, .writable): flush(now, &transport, &events)
        case (_, .readable): read(now, &transport, &events)
        case (_, .time): timePassed(now, &transport, &events)
        case (.asking, .finish), (.retiring, .finish): finish(now, asksAgain: false, &transport, &events)
        case (.finishing, .finish): break
        }
        return events
    }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard phase != .ended else { return }
        phase = .ended
        events.append(.ended(ending))
    }

    // MARK: Connections

    /// Whether it uses its connection.
    private var isConnected: Bool {
        switch phase {
        case .asking, .retiring, .finishing: true
        case .connecting, .waiting, .ended: false
        }
    }

    private mutating func connected(_ now: Instant) {
        phase = .asking
        // The first of each connection, for the cadence of the flow has one beginning.
        if schedule == nil { schedule = OpenLoopSchedule(start: now + offset, every: identity.program.every) }
        missWhatIsDue(now)
        meter.forgetUnanswered()
        connections.established(at: now)
        nextLook = now + identity.timeout
    }

    private mutating func open(_ now: Instant, _ events: inout [FlowEvent]) {
        phase = .connecting(finishesEarly: false)
        nextLook = now + identity.timeout
        events.append(.connection(.open))
    }

    /// An error ends the flow, unless it reconnects and is not to finish.
    private mutating func failed(_ ending: FlowEnding, _ now: Instant, _ events: inout [FlowEvent]) {
        switch phase {
        case .waiting: return
        case .connecting(finishesEarly: false), .asking, .retiring: break
        case .connecting(finishesEarly: true), .finishing, .ended: return end(ending, &events)
        }
        guard let next = connections.failed(ending, at: now) else { return end(ending, &events) }
        leaveConnection()
        phase = .waiting(until: next)
        events.append(.connection(.close))
    }

    private mutating func leaveConnection() {
        meter.forgetUnanswered()
        garbage += parser.garbage
        parser = ProbeParser()
        waiting = []
    }

    /// An old connection is followed by another as soon as nothing is unanswered; until then it is asked nothing more.
    private mutating func retireIfDue(_ now: Instant, _ events: inout [FlowEvent]) {
        if phase == .asking, let due = connections.retiresAt, due <= now { phase = .retiring }
        guard phase == .retiring, meter.isSettled, waiting.isEmpty else { return }
        leaveConnection()
        connections.retired()
        open(now, &events)
    }

    /// When the next request falls due that no connection can take; nil where it waits for one.
    private var missedNext: Instant? { connections.loss == nil ? nil : schedule?.nextDue }

    private mutating func missWhatIsDue(_ now: Instant) {
        while let due = missedNext, due <= now, schedule?.take(at: now) != nil { _ = meter.ask(at: now) }
    }

    // MARK: Asking

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        while schedule?.take(at: now) != nil { ask(now, &events) }
        flush(now, &transport, &events)
    }

    private mutating func ask(_ now: Instant, _ events: inout [FlowEvent]) {
        let record = identity.record(meter.newest.map { $0 + 1 } ?? 0, at: now)
        guard waiting.count + record.length <= Self.mostWaiting else {
            events.append(.skipped("\(Self.mostWaiting) bytes wait already for the connection's send buffer"))
            return
        }
        _ = meter.ask(at: now)
        record.append(to: &waiting)
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
                return failed(ending, now, &events)
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
            return isConnected
        }
        guard isConnected else { return }
        switch outcome {
        case .endOfStream: failed(.closedByPeer, now, &events)
        case .failed(let ending): failed(ending, now, &events)
        case .bytes, .wouldBlock: break
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        let wasUnanswered = meter.received == 0
        let identity = identity
        parser.consume(bytes) { record in
            guard identity.isOwn(record) else { return garbage += record.length }
            meter.answered(record.sequence, at: now)
            connections.answered()
        }
        if wasUnanswered, meter.received > 0 { events.append(.firstAnswer) }
        if case .finishing = phase, meter.isSettled { end(.survived, &events) }
        if phase == .retiring { retireIfDue(now, &events) }
    }

    // MARK: Ending

    /// - Parameter asksAgain: whether nothing was asked over its connection
    private mutating func finish(
        _ now: Instant, asksAgain: Bool, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        phase = .finishing(endsAt: nil)
        // A flow that is to finish before its first request asks once, so that it has an outcome.
        if meter.newest == nil || asksAgain {
            ask(now, &events)
            flush(now, &transport, &events)
        }
        if case .finishing = phase, meter.isSettled { phase = .finishing(endsAt: now) }
    }

    private mutating func timePassed(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        retireIfDue(now, &events)
        if case .asking = phase, let schedule, schedule.nextDue <= now { askWhatIsDue(now, &transport, &events) }
        if case .finishing(let endsAt?) = phase, endsAt <= now { end(.survived, &events) }
        guard isConnected, nextLook <= now else { return }
        // Answers that are here already count, although a busy machine has not let this process read them.
        read(now, &transport, &events)
        guard isConnected else { return }
        if meter.hasTimedOut(at: now) { failed(.timedOut(identity.program, waitingFor: "answer"), now, &events) }
        if isConnected { nextLook = meter.timesOutAt ?? now + identity.timeout }
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        var figures = FlowFigures(
            started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome),
            garbage: parser.garbage + garbage)
        connections.complete(&figures, at: end)
        return figures
    }
}

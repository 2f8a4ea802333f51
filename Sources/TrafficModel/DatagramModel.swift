package import LabTime
internal import Measurement

/// A long-lived UDP flow with a numbered request at a fixed cadence (`udp`).
///
/// When it is to finish and its newest requests are unanswered, it goes on asking until one that is no older than those
/// is answered, or it times out: the loss of its very last datagram is then a loss, and not taken for a dead path. What
/// it asked after that counts only where it was answered.
package struct DatagramModel: FlowModel, Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case asking
        /// Another socket, of another source port, is on its way.
        case rebinding
        /// Until an answer to this request, or a newer one, has come; `endsAt` where one has already.
        case finishing(last: UInt64, endsAt: Instant?)
        case ended(lastCounted: UInt64?)
    }

    private let identity: FlowIdentity
    private let started: Instant
    private(set) var phase = Phase.asking
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule
    /// When it looks whether it has timed out: moves on to where the timeout really ends by then.
    private var nextLook: Instant
    private var ports: PortSchedule
    private var garbage = 0
    /// Of the request that is sent; kept for its memory.
    private var bytes: [UInt8] = []

    package init(_ identity: FlowIdentity, offset: Duration, at now: Instant) {
        self.identity = identity
        started = now
        nextLook = now + identity.timeout
        meter = identity.meter(cadence: identity.program.every)
        schedule = OpenLoopSchedule(start: now + offset, every: identity.program.every)
        ports = PortSchedule(identity.program.rebinding, from: now)
    }

    package var deadline: Instant? {
        switch phase {
        case .rebinding: nextLook
        case .asking, .finishing(_, nil): min(schedule.nextDue, nextLook)
        case .finishing(_, let endsAt?): min(endsAt, nextLook)
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
        case (.ended, _), (_, .writable): break
        case (_, .failed(let ending)): end(ending, &events)
        case (.rebinding, .connected):
            phase = .asking
            askWhatIsDue(now, &transport, &events)
        case (.asking, .connected), (.finishing, .connected): break
        case (_, .readable): read(now, &transport, &events)
        case (_, .time): timePassed(now, &transport, &events)
        case (.asking, .finish), (.rebinding, .finish): finish(now, &transport, &events)
        case (.finishing, .finish): break
        }
        return events
    }

    private var hasEnded: Bool { if case .ended = phase { true } else { false } }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        phase = .ended(lastCounted: lastCounted)
        events.append(.ended(ending))
    }

    private var lastCounted: UInt64? {
        switch phase {
        case .asking, .rebinding: nil
        case .finishing(let last, _): last
        case .ended(let last): last
        }
    }

    // MARK: Asking

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        while !hasEnded, schedule.nextDue <= now {
            if phase == .asking, ports.take(sent: meter.sent, at: now) {
                phase = .rebinding
                return events.append(.connection(.open))
            }
            guard schedule.take(at: now) != nil else { return }
            for _ in 0..<identity.program.burst where !hasEnded { ask(now, &transport, &events) }
        }
    }

    private mutating func ask(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        bytes.removeAll(keepingCapacity: true)
        // The number is given only to what really leaves: a full send buffer is no loss in the network.
        identity.record(meter.newest.map { $0 + 1 } ?? 0, at: now).append(to: &bytes)
        switch bytes.withUnsafeBytes({ transport.send($0) }) {
        case .bytes, .endOfStream: _ = meter.ask(at: now)
        case .wouldBlock: events.append(.skipped("the socket's send buffer is full"))
        case .failed(let ending): end(ending, &events)
        }
    }

    // MARK: Answers

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let outcome = transport.receive { datagram in
            take(datagram, now, &events)
            return !hasEnded
        }
        // An ICMP error that the kernel reports on the socket ends the flow.
        if case .failed(let ending) = outcome { end(ending, &events) }
    }

    private mutating func take(_ datagram: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        guard let record = ProbeRecord(datagram: datagram), identity.isOwn(record) else {
            garbage += 1
            return
        }
        let wasUnanswered = meter.received == 0
        meter.answered(record.sequence, at: now)
        if wasUnanswered, meter.received > 0 { events.append(.firstAnswer) }
        if case .finishing(let last, _) = phase, meter.isAnswered(from: last) { end(.survived, &events) }
    }

    // MARK: Ending

    private mutating func finish(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        if meter.newest == nil { ask(now, &transport, &events) }
        guard !hasEnded else { return }
        let isSettled = meter.newest != nil && meter.isSettled
        phase = .finishing(last: meter.newest ?? 0, endsAt: isSettled ? now : nil)
    }

    private mutating func timePassed(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        if case .finishing(_, let endsAt?) = phase {
            if endsAt <= now { end(.survived, &events) }
        } else if phase != .rebinding {
            askWhatIsDue(now, &transport, &events)
        }
        guard !hasEnded, nextLook <= now else { return }
        // Answers that are here already count, although a busy machine has not let this process read them.
        read(now, &transport, &events)
        if meter.hasTimedOut(at: now) { end(.timedOut(identity.program, waitingFor: "answer"), &events) }
        nextLook = meter.timesOutAt ?? now + identity.timeout
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        FlowFigures(
            started: started,
            reading: meter.reading(endedAt: end, outcome: ending.outcome, lastCounted: lastCounted),
            garbage: garbage + meter.unasked)
    }
}

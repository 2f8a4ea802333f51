package import LabTime
package import Measurement
package import Wire

/// So many long-lived UDP flows that none has a socket of its own (`udp-crowd`): when each asks, what is its answer, and
/// when it gives up. An answer counts where it comes from the target to the very address and port that asked.
///
/// Between two rounds, flows whose newest request is unanswered ask again, every `retryEvery`: so many requests at a time
/// find a full buffer somewhere. Each that was not answered counts as lost.
///
/// Flows end as those of `udp` do (`DatagramModel`), with one difference: nobody receives ICMP errors, so a flow that is
/// refused times out.
package struct ManyFlowModel: Sendable {
    enum Phase: Hashable, Sendable {
        /// Flows without an answer so far, of those that have not ended; `.ready` comes when there are none.
        case asking(unanswered: Int)
        /// Only flows whose newest request is unanswered ask.
        case finishing(Finish)
        /// Everything is answered: not from within the step that finishes.
        case settled(Finish, at: Instant)
        case ended(Finish?)
    }

    struct Finish: Hashable, Sendable {
        /// The newest request of each flow when it began.
        let newest: [UInt64?]
        /// Flows that had asked and have no answer to that, or to a later request.
        var unanswered: Int
        let until: Instant
    }

    /// Requests, or answers of one port, in one step, so that others have their time.
    package static let batch = 256
    /// Requests that fall due within this time leave together.
    private static let pause: Duration = .microseconds(500)

    private let identity: FlowIdentity
    package let origins: FlowOrigins
    private(set) var phase: Phase
    private var schedule: RoundSchedule
    private var retries: RetryPass
    private var meters: [FlowMeter]
    private var endings: [Int: (at: Instant, ending: FlowEnding)] = [:]
    /// When it asks next; nil where it cannot.
    private var asksAt: Instant?
    /// Address by which the kernel reaches the target, once an answer has shown it.
    private var ownAddress: IPAddress
    private var figures = ManyFlowFigures()

    /// - Parameter number: the program's in its node
    package init(_ program: TrafficProgram, number: UInt32, at now: Instant) {
        identity = FlowIdentity(program, number: number, flow: 0)
        origins = FlowOrigins(flows: program.flows, sources: program.manyFlows?.sources)
        phase = .asking(unanswered: origins.flows)
        schedule = RoundSchedule(
            start: now, every: program.every, spread: program.manyFlows?.spread ?? program.every, flows: origins.flows)
        retries = RetryPass(every: program.retryEvery)
        meters = [FlowMeter](
            repeating: FlowMeter(cadence: program.every, timeout: program.timeout, remembersAtLeast: 16),
            count: origins.flows)
        asksAt = now
        ownAddress = program.target.family == .ipv4 ? .ipv4(.any) : .ipv6(.any)
    }

    /// When `time` is to come next; nil for never.
    package var deadline: Instant? {
        switch phase {
        case .asking: asksAt
        case .finishing(let finish): min(finish.until, asksAt ?? finish.until)
        case .settled(_, let at): at
        case .ended: nil
        }
    }

    /// The sockets could not be opened: no flow asks.
    package mutating func failToStart(_ reason: String) {
        asksAt = nil
        figures.skip(reason, origins.flows)
    }

    package mutating func step(
        _ input: ManyFlowInput, at now: Instant, over transport: inout some ManyFlowTransport & ~Copyable
    ) -> [ManyFlowEvent] {
        var events: [ManyFlowEvent] = []
        switch (phase, input) {
        case (.ended, _): break
        case (_, .readable(let port)): read(port, now, &transport, &events)
        case (.asking, .time), (.finishing, .time):
            if case .finishing(let finish) = phase, finish.until <= now {
                // Answers that are here already count, although a busy machine has not let this process read them.
                for port in 0..<origins.ports { read(port, now, &transport, &events) }
                end(&events)
            } else if let asksAt, asksAt <= now {
                askWhatIsDue(now, &transport, &events)
            }
        case (.settled(_, let at), .time): if at <= now { end(&events) }
        case (.asking, .finish): finish(now)
        case (.finishing, .finish), (.settled, .finish): break
        }
        return events
    }

    // MARK: Asking

    private mutating func askWhatIsDue(
        _ now: Instant, _ transport: inout some ManyFlowTransport & ~Copyable, _ events: inout [ManyFlowEvent]
    ) {
        var (asked, bytes) = (0, [UInt8]())
        while asked < Self.batch, let flow = schedule.take(at: now) {
            ask(flow, now, &bytes, &transport, &events)
            asked += 1
        }
        if asked > 0 { retries.roundGoesOn(isOver: schedule.isBetweenRounds, at: now) }
        while asked < Self.batch, let flow = retries.next(of: origins.flows, at: now) {
            guard !meters[flow].isSettled else { continue }
            ask(flow, now, &bytes, &transport, &events)
            asked += 1
        }
        let due = min(schedule.nextDue, retries.due ?? schedule.nextDue)
        asksAt = max(due, asked < Self.batch ? now + Self.pause : now)
    }

    private mutating func ask(
        _ flow: Int, _ now: Instant, _ bytes: inout [UInt8], _ transport: inout some ManyFlowTransport & ~Copyable,
        _ events: inout [ManyFlowEvent]
    ) {
        guard endings[flow] == nil else { return }
        if let finish = phase.finish {
            guard let last = finish.newest[flow], !meters[flow].isAnswered(from: last) else { return }
        }
        guard !meters[flow].hasTimedOut(at: now) else {
            return end(flow, .timedOut(identity.program, waitingFor: "answer"), now, &events)
        }
        bytes.removeAll(keepingCapacity: true)
        let sequence = meters[flow].newest.map { $0 + 1 } ?? 0
        ProbeRecord(
            program: identity.number, flow: UInt32(flow), sequence: sequence, sentAt: now,
            length: identity.program.payload
        ).append(to: &bytes)
        switch transport.send(bytes, from: origins.origin(of: flow)) {
        // As in `DatagramModel`: the number is given only to what really leaves.
        case .bytes, .endOfStream: _ = meters[flow].ask(at: now)
        case .wouldBlock: figures.skip("the socket's send buffer is full")
        case .failed(let ending): end(flow, ending, now, &events)
        }
    }

    // MARK: Answers

    private mutating func read(
        _ port: Int, _ now: Instant, _ transport: inout some ManyFlowTransport & ~Copyable,
        _ events: inout [ManyFlowEvent]
    ) {
        transport.receive(port: port, atMost: Self.batch) { datagram in
            guard let record = answer(in: datagram, port) else {
                figures.garbage += 1
                return
            }
            if origins.isChosenByKernel, let own = datagram.localAddress { ownAddress = own }
            let flow = Int(record.flow)
            let wasOpen = isOpen(flow)
            meters[flow].answered(record.sequence, at: now)
            if wasOpen, !isOpen(flow), endings[flow] == nil { settle(now, &events) }
        }
    }

    /// The record of an answer that has come where its request came from.
    private func answer(in datagram: ReceivedDatagram, _ port: Int) -> ProbeRecord? {
        let program = identity.program
        guard let record = ProbeRecord(datagram: datagram.bytes), record.program == identity.number,
            record.flow < origins.flows,
            datagram.sender == Endpoint(address: program.target, port: program.port)
        else { return nil }
        let origin = origins.origin(of: Int(record.flow))
        guard origin.port == port, origin.source == nil || datagram.localAddress == origin.source.map({ .ipv4($0) })
        else { return nil }
        return record
    }

    // MARK: Ending

    private mutating func end(_ flow: Int, _ ending: FlowEnding, _ now: Instant, _ events: inout [ManyFlowEvent]) {
        let wasOpen = isOpen(flow)
        endings[flow] = (now, ending)
        if wasOpen { settle(now, &events) }
    }

    /// Whether it counts among those that are waited for.
    private func isOpen(_ flow: Int) -> Bool {
        guard let finish = phase.finish else { return meters[flow].received == 0 }
        return finish.newest[flow].map { !meters[flow].isAnswered(from: $0) } ?? false
    }

    /// One flow less is waited for.
    private mutating func settle(_ now: Instant, _ events: inout [ManyFlowEvent]) {
        switch phase {
        case .asking(let unanswered):
            phase = .asking(unanswered: unanswered - 1)
            if unanswered == 1 { events.append(.ready) }
        case .finishing(var finish):
            finish.unanswered -= 1
            phase = finish.unanswered == 0 ? .settled(finish, at: now) : .finishing(finish)
        case .settled, .ended: break
        }
    }

    private mutating func finish(_ now: Instant) {
        var finish = Finish(newest: meters.map(\.newest), unanswered: 0, until: now + identity.timeout)
        phase = .finishing(finish)
        finish.unanswered = meters.indices.count { endings[$0] == nil && isOpen($0) }
        phase = finish.unanswered == 0 ? .settled(finish, at: now) : .finishing(finish)
    }

    private mutating func end(_ events: inout [ManyFlowEvent]) {
        stop()
        events.append(.ended)
    }

    /// Ends at once: the figures as they stand.
    package mutating func stop() { phase = .ended(phase.finish) }

    // MARK: Figures

    package var late: Int { schedule.late }

    /// Requests that were due and not sent, and flows that never asked, with the reason; and what else went wrong.
    package var problems: (skipped: Int, reason: String?) {
        var figures = figures
        let silent = meters.count { $0.sent == 0 }
        if silent > 0, figures.reason == nil || figures.skipped == 0 {
            figures.skip("\(silent) flows never asked", silent)
        }
        if figures.garbage > 0, figures.reason == nil {
            figures.reason = "\(figures.garbage) datagrams answered nothing that was asked"
        }
        return (figures.skipped, figures.reason)
    }

    /// The source address of a flow.
    package func source(of flow: Int) -> IPAddress { origins.origin(of: flow).source.map { .ipv4($0) } ?? ownAddress }

    /// The figures of a flow, if it ends now; nil where it never asked.
    package func figures(of flow: Int, at now: Instant) -> (figures: FlowFigures, ending: FlowEnding, end: Instant)? {
        let meter = meters[flow]
        guard meter.sent > 0 else { return nil }
        var ending = endings[flow]?.ending ?? .survived
        if endings[flow] == nil, phase.finish != nil, meter.hasTimedOut(at: now) {
            ending = .timedOut(identity.program, waitingFor: "answer")
        }
        let end = endings[flow]?.at ?? now
        let reading = meter.reading(
            endedAt: end, outcome: ending.outcome, lastCounted: phase.finish.flatMap { $0.newest[flow] })
        return (
            FlowFigures(started: schedule.firstDue(of: flow), reading: reading, garbage: meter.unasked), ending, end
        )
    }
}

extension ManyFlowModel.Phase {
    /// What a program that is to finish waits for.
    var finish: ManyFlowModel.Finish? {
        switch self {
        case .asking: nil
        case .finishing(let finish), .settled(let finish, _): finish
        case .ended(let finish): finish
        }
    }
}

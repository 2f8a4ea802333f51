internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage

/// A long-lived TCP connection with a numbered request at a fixed cadence (`tcp-stream`).
///
/// The cadence begins when the connection is established. What the send buffer does not take waits here, up to
/// `mostWaiting` bytes, and counts as sent when it was due: the application has asked.
///
/// A flow that gives up closes its connection normally, as an application does: with a FIN, so that no reset appears
/// in a capture that the network did not cause.
final class StreamFlow: Flow {
    /// Bytes that may wait for the send buffer before further probes are skipped.
    static let mostWaiting = 1 << 20

    private enum State {
        case connecting
        case asking
        case finishing
        case ended
    }

    let context: FlowContext
    private let flow: UInt32
    let events: FlowEvents
    /// After the handshake, before the first request: flows of one program do not all ask at the same moment.
    private let offset: Duration
    private var state = State.connecting
    private var finishesEarly = false
    private var socket: Socket?
    private var source: Endpoint?
    private var started: Instant
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule?
    private var parser = ProbeParser()
    private var strangers = 0
    private var waiting: [UInt8] = []
    private var isWatchingWritable = true
    private var askTimer: EventLoop.Timer?
    private var timeoutTimer: EventLoop.Timer?

    init(_ context: FlowContext, flow: UInt32, offset: Duration, events: FlowEvents) {
        self.context = context
        self.flow = flow
        self.offset = offset
        self.events = events
        started = context.loop.now
        meter = FlowMeter(cadence: context.program.every, patience: context.program.patience)
    }

    // MARK: Connecting

    func start() {
        started = context.loop.now
        do throws(Errno) {
            let (socket, isConnected) = try context.connectedSocket(.tcp)
            self.socket = socket
            source = socket.localEndpoint
            try context.loop.watch(socket.descriptor, for: [.readable, .writable]) { [unowned self] in ready($0) }
            if isConnected { established() } else { watchTimeout(until: started + context.program.patience) }
        } catch {
            // Not from within the call that starts the flow.
            askTimer = context.loop.schedule(at: started) { [unowned self] in failToStart(error) }
        }
    }

    private func established() {
        let now = context.loop.now
        source = socket?.localEndpoint ?? source
        schedule = OpenLoopSchedule(start: now + offset, every: context.program.every)
        state = .asking
        watchTimeout(until: now + context.program.patience)
        if finishesEarly { finish() } else { askWhatIsDue() }
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if state == .connecting {
            if let error = socket?.takeError() { return end(FlowEnding(error)) }
            guard readiness.contains(.writable) else { return }
            established()
        }
        if state != .ended, readiness.contains(.writable) { flush() }
        if state != .ended, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { read() }
    }

    // MARK: Asking

    private func askWhatIsDue() {
        guard state == .asking else { return }
        let now = context.loop.now
        while schedule?.take(at: now) != nil { ask(at: now) }
        flush()
        if state == .asking, let schedule {
            askTimer = context.loop.schedule(at: schedule.nextDue) { [unowned self] in askWhatIsDue() }
        }
    }

    private func ask(at now: Instant) {
        guard waiting.count + context.program.payload <= Self.mostWaiting else {
            return events.onSkip("\(Self.mostWaiting) bytes wait already for the connection's send buffer")
        }
        context.record(flow: flow, sequence: meter.ask(at: now), at: now).append(to: &waiting)
    }

    private func flush() {
        guard let socket else { return }
        var written = 0
        while written < waiting.count {
            let outcome = waiting.withUnsafeBytes { socket.send(UnsafeRawBufferPointer(rebasing: $0[written...])) }
            if case .bytes(let count) = outcome {
                written += count
            } else if case .failed(let error) = outcome {
                return fail(error)
            } else {
                break
            }
        }
        waiting.removeFirst(written)
        watchWritable(!waiting.isEmpty)
    }

    private func watchWritable(_ isWanted: Bool) {
        guard isWanted != isWatchingWritable, let socket else { return }
        isWatchingWritable = isWanted
        try? context.loop.change(socket.descriptor, to: isWanted ? [.readable, .writable] : .readable)
    }

    /// A failed send: what the peer has sent before is read first, for it may hold answers.
    private func fail(_ error: Errno) {
        read()
        if state != .ended { end(FlowEnding(error == .brokenPipe ? .connectionReset : error)) }
    }

    // MARK: Answers

    private func read() {
        switch socket?.receiveAll(isStream: true, while: { !hasEnded }, take) {
        case .endOfStream: end(.closedByPeer)
        case .failed(let error): end(FlowEnding(error))
        case .bytes, .wouldBlock, nil: break
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        let now = context.loop.now
        let wasUnanswered = meter.received == 0
        parser.consume(bytes) { record in
            if record.program == context.number, record.flow == flow {
                meter.answered(record.sequence, at: now)
            } else {
                strangers += record.length
            }
        }
        if wasUnanswered, meter.received > 0 { events.onFirstAnswer() }
        if state == .finishing, meter.isSettled { end(.survived) }
    }

    // MARK: Ending

    var hasEnded: Bool { state == .ended }

    func finish() {
        switch state {
        case .connecting: finishesEarly = true
        case .asking:
            state = .finishing
            if let askTimer { context.loop.cancel(askTimer) }
            // A flow that was told to finish before its first request asks once, so that it has an outcome.
            if meter.newest == nil {
                ask(at: context.loop.now)
                flush()
            }
            if state == .finishing, meter.isSettled {
                askTimer = context.loop.schedule(at: context.loop.now) { [unowned self] in end(.survived) }
            }
        case .finishing, .ended: break
        }
    }

    /// One timer for the whole flow: when it fires, it moves on to where patience really ends by then.
    private func watchTimeout(until instant: Instant) {
        if let timeoutTimer { context.loop.cancel(timeoutTimer) }
        timeoutTimer = context.loop.schedule(at: instant) { [unowned self] in
            let now = context.loop.now
            if state == .connecting { return end(.impatient(context.program, waitingFor: "connection")) }
            // Answers that are here already count, although a busy machine has not let this process read them.
            read()
            guard state != .ended else { return }
            if meter.hasTimedOut(at: now) { return end(.impatient(context.program, waitingFor: "answer")) }
            watchTimeout(until: meter.timesOutAt ?? now + context.program.patience)
        }
    }

    func close(_ ending: FlowEnding) -> FlowResult {
        state = .ended
        for timer in [askTimer, timeoutTimer].compactMap(\.self) { context.loop.cancel(timer) }
        if let socket {
            context.loop.unwatch(socket.descriptor)
            context.parting.part(with: socket)
        }
        let now = context.loop.now
        return context.result(
            source: source, start: started, end: now, reading: meter.reading(endedAt: now, outcome: ending.outcome),
            ending: ending, garbage: parser.garbage + strangers)
    }

    /// Probes that were sent late.
    var late: Int { schedule?.late ?? 0 }
}

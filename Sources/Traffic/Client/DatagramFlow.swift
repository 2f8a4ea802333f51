internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage

/// A long-lived UDP flow with a numbered request at a fixed cadence (`udp`).
///
/// When it is told to finish and its newest requests are unanswered, it goes on asking until one that is no older
/// than those is answered, or patience is over: the loss of its very last datagram is then a loss, and not taken for
/// a dead path. What it asked after being told counts only where it was answered.
///
/// An ICMP error that the kernel reports on the socket ends the flow as refused.
final class DatagramFlow: Flow {
    private enum State {
        case asking
        /// Until an answer to this request, or a newer one, has come.
        case finishing(UInt64)
        case ended
    }

    let context: FlowContext
    private let flow: UInt32
    let events: FlowEvents
    private let offset: Duration
    private var state = State.asking
    private var socket: Socket?
    private var source: Endpoint?
    private var started: Instant
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule
    private var garbage = 0
    private var bytes: [UInt8] = []
    private var askTimer: EventLoop.Timer?
    private var timeoutTimer: EventLoop.Timer?

    init(_ context: FlowContext, flow: UInt32, offset: Duration, events: FlowEvents) {
        self.context = context
        self.flow = flow
        self.offset = offset
        self.events = events
        started = context.loop.now
        meter = FlowMeter(cadence: context.program.every, patience: context.program.patience)
        schedule = OpenLoopSchedule(start: started + offset, every: context.program.every)
    }

    func start() {
        started = context.loop.now
        schedule = OpenLoopSchedule(start: started + offset, every: context.program.every)
        do throws(Errno) {
            let (socket, _) = try context.connectedSocket(.udp)
            self.socket = socket
            source = socket.localEndpoint
            try context.loop.watch(socket.descriptor) { [unowned self] _ in read() }
            watchTimeout(until: started + context.program.patience)
            askAgain(at: schedule.nextDue)
        } catch {
            askTimer = context.loop.schedule(at: started) { [unowned self] in failToStart(error) }
        }
    }

    // MARK: Asking

    private func askAgain(at instant: Instant) {
        askTimer = context.loop.schedule(at: instant) { [unowned self] in askWhatIsDue() }
    }

    private func askWhatIsDue() {
        let now = context.loop.now
        while !hasEnded, schedule.take(at: now) != nil { ask(at: now) }
        if !hasEnded { askAgain(at: schedule.nextDue) }
    }

    private func ask(at now: Instant) {
        guard let socket else { return }
        bytes.removeAll(keepingCapacity: true)
        // The number is given only to what really leaves: a full send buffer is no loss in the network.
        let sequence = meter.newest.map { $0 + 1 } ?? 0
        context.record(flow: flow, sequence: sequence, at: now).append(to: &bytes)
        switch bytes.withUnsafeBytes({ socket.send($0) }) {
        case .bytes, .endOfStream: _ = meter.ask(at: now)
        case .wouldBlock: events.onSkip("the socket's send buffer is full")
        case .failed(let error): end(FlowEnding(error))
        }
    }

    // MARK: Answers

    private func read() {
        switch socket?.receiveAll(isStream: false, while: { !hasEnded }, take) {
        case .failed(let error): end(FlowEnding(error))
        case .bytes, .endOfStream, .wouldBlock, nil: break
        }
    }

    private func take(_ datagram: UnsafeRawBufferPointer) {
        guard let record = ProbeRecord(datagram: datagram), record.program == context.number, record.flow == flow
        else {
            garbage += 1
            return
        }
        let wasUnanswered = meter.received == 0
        meter.answered(record.sequence, at: context.loop.now)
        if wasUnanswered, meter.received > 0 { events.onFirstAnswer() }
        if case .finishing(let last) = state, meter.isAnswered(from: last) { end(.survived) }
    }

    // MARK: Ending

    func finish() {
        guard case .asking = state else { return }
        guard socket != nil else { return }
        if meter.newest == nil { ask(at: context.loop.now) }
        guard !hasEnded else { return }
        state = .finishing(meter.newest ?? 0)
        if meter.newest != nil, meter.isSettled {
            if let askTimer { context.loop.cancel(askTimer) }
            askTimer = context.loop.schedule(at: context.loop.now) { [unowned self] in end(.survived) }
        }
    }

    private func watchTimeout(until instant: Instant) {
        timeoutTimer = context.loop.schedule(at: instant) { [unowned self] in
            let now = context.loop.now
            // Answers that are here already count, although a busy machine has not let this process read them.
            read()
            guard !hasEnded else { return }
            if meter.hasTimedOut(at: now) { return end(.impatient(context.program, waitingFor: "answer")) }
            watchTimeout(until: meter.timesOutAt ?? now + context.program.patience)
        }
    }

    var hasEnded: Bool { if case .ended = state { true } else { false } }

    func close(_ ending: FlowEnding) -> FlowResult {
        var lastCounted: UInt64?
        if case .finishing(let last) = state { lastCounted = last }
        state = .ended
        for timer in [askTimer, timeoutTimer].compactMap(\.self) { context.loop.cancel(timer) }
        if let socket {
            context.loop.unwatch(socket.descriptor)
            socket.close()
        }
        let now = context.loop.now
        let reading = meter.reading(endedAt: now, outcome: ending.outcome, lastCounted: lastCounted)
        return context.result(
            source: source, start: started, end: now, reading: reading, ending: ending,
            garbage: garbage + meter.unasked)
    }

    var late: Int { schedule.late }
}

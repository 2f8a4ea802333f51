internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage

/// One probe of `udp-request`: a request from a new source port, repeated every `retryEvery` until it is answered or
/// patience, which runs from the first request, is over. Each repetition has a number of its own and counts as sent.
final class RequestProbe: Flow {
    let context: FlowContext
    private let flow: UInt32
    let events: FlowEvents
    private var socket: Socket?
    private var source: Endpoint?
    private var started: Instant
    private var meter: FlowMeter
    private var schedule: OpenLoopSchedule
    private var latency: Duration?
    private var garbage = 0
    private var bytes: [UInt8] = []
    private var askTimer: EventLoop.Timer?
    private var timeoutTimer: EventLoop.Timer?
    private(set) var hasEnded = false

    init(_ context: FlowContext, flow: UInt32, events: FlowEvents) {
        self.context = context
        self.flow = flow
        self.events = events
        started = context.loop.now
        meter = FlowMeter(cadence: context.program.retryEvery, patience: context.program.patience)
        schedule = OpenLoopSchedule(start: started, every: context.program.retryEvery)
    }

    func start() {
        started = context.loop.now
        schedule = OpenLoopSchedule(start: started, every: context.program.retryEvery)
        do throws(Errno) {
            let (socket, _) = try context.connectedSocket(.udp)
            self.socket = socket
            source = socket.localEndpoint
            try context.loop.watch(socket.descriptor) { [unowned self] _ in read() }
            timeoutTimer = context.loop.schedule(at: started + context.program.patience) { [unowned self] in giveUp() }
            askTimer = context.loop.schedule(at: started) { [unowned self] in askWhatIsDue() }
        } catch {
            askTimer = context.loop.schedule(at: started) { [unowned self] in failToStart(error) }
        }
    }

    private func askWhatIsDue() {
        let now = context.loop.now
        // After a hold-up one repetition is enough: an application repeats because of silence, not of a clock.
        var isDue = false
        while schedule.take(at: now) != nil { isDue = true }
        if isDue { ask(at: now) }
        guard !hasEnded else { return }
        askTimer = context.loop.schedule(at: schedule.nextDue) { [unowned self] in askWhatIsDue() }
    }

    private func ask(at now: Instant) {
        guard let socket else { return }
        bytes.removeAll(keepingCapacity: true)
        let sequence = meter.newest.map { $0 + 1 } ?? 0
        context.record(flow: flow, sequence: sequence, at: now).append(to: &bytes)
        switch bytes.withUnsafeBytes({ socket.send($0) }) {
        case .bytes, .endOfStream: _ = meter.ask(at: now)
        case .wouldBlock: break
        case .failed(let error): end(FlowEnding(error))
        }
    }

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
        let now = context.loop.now
        meter.answered(record.sequence, at: now)
        guard meter.received > 0 else { return }
        latency = now - started
        events.onFirstAnswer()
        end(.survived)
    }

    private func giveUp() {
        // What is here already counts, although a busy machine has not let this process read it.
        read()
        end(.impatient(context.program, waitingFor: "answer"))
    }

    /// The probe has asked already: it ends as it would have.
    func finish() {}

    func close(_ ending: FlowEnding) -> FlowResult {
        hasEnded = true
        for timer in [askTimer, timeoutTimer].compactMap(\.self) { context.loop.cancel(timer) }
        if let socket {
            context.loop.unwatch(socket.descriptor)
            socket.close()
        }
        let now = context.loop.now
        return context.result(
            source: source, start: started, end: now, reading: meter.reading(endedAt: now, outcome: ending.outcome),
            ending: ending, latency: latency, garbage: garbage)
    }

    var late: Int { 0 }
}

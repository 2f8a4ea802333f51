public import EventLoop
internal import LabTime
public import Measurement
internal import TrafficModel

/// Runs one traffic program on the kernel's sockets, all on the event loop's thread.
///
/// Bounds: of a kind with a flow for each probe at most `mostOpenProbes` are open at the same time, of `command` its
/// `mostAtOnce`, and at most `mostResults` flows are kept; a probe beyond counts in `TrafficResult.skipped`, with the
/// reason in `problem`.
public final class TrafficClient {
    public enum Event {
        /// Every long-lived flow has had its first answer, or has ended; of the other kinds, the first probe has
        /// ended. Reported once.
        case ready
        /// A flow has ended by itself.
        case flowEnded(FlowResult)
        /// Reported once, after `finish`: when the last flow has ended.
        case finished(TrafficResult)
    }

    /// Probes, each with a descriptor, that are open at the same time.
    public static let mostOpenProbes = 1024
    /// Flows whose results are kept in memory.
    public static let mostResults = 100_000

    public let program: TrafficProgram
    private let loop: EventLoop
    private let context: FlowContext
    private let mostOpenProbes: Int
    private let onEvent: (Event) -> Void
    /// Of `udp-crowd`: all of its flows.
    private var manyFlows: ManyFlowGenerator?
    private var running: [UInt32: any Flow] = [:]
    private var results: [UInt32: FlowResult] = [:]
    private var unanswered: Set<UInt32> = []
    private var nextFlow: UInt32 = 0
    private var schedule: OpenLoopSchedule?
    private var timer: EventLoop.Timer?
    private var late = 0
    private var skipped = 0
    private var problem: String?
    private var isReady = false
    private var isFinishing = false
    private var hasEnded = false

    /// - Parameters:
    ///   - number: unique among the programs of the node; every probe record carries it
    ///   - ports: shared by all programs of the node, so that no two flows get the same source port soon after another
    ///   - commands: starts those of a program of kind `command`
    ///   - onEvent: called on the loop's thread; `finished` never from within `finish`
    public convenience init(
        _ program: TrafficProgram, number: UInt32, on loop: EventLoop, ports: SourcePorts,
        commands: (any CommandStarter)? = nil, onEvent: @escaping (Event) -> Void
    ) {
        self.init(
            program, number: number, on: loop, ports: ports, commands: commands, mostOpenProbes: Self.mostOpenProbes,
            onEvent: onEvent)
    }

    init(
        _ program: TrafficProgram, number: UInt32, on loop: EventLoop, ports: SourcePorts,
        commands: (any CommandStarter)? = nil, mostOpenProbes: Int, onEvent: @escaping (Event) -> Void
    ) {
        self.mostOpenProbes = min(mostOpenProbes, program.kind.type.mostAtOnce)
        self.program = program
        self.loop = loop
        self.onEvent = onEvent
        context = FlowContext(program: program, number: number, loop: loop, ports: ports, commands: commands)
    }

    deinit {
        if let timer { loop.cancel(timer) }
        for flow in running.values { _ = flow.abandon() }
        context.kept?.close()
        _ = manyFlows?.close()
    }

    /// Opens the long-lived flows, or begins with the first probe.
    public func start() {
        if case .together = FlowOpening.of(program.kind) { return startManyFlows() }
        if program.kind.opensFlowForEachProbe {
            schedule = OpenLoopSchedule(start: loop.now, every: program.every)
            timer = loop.schedule(at: loop.now) { [unowned self] in openWhatIsDue() }
        } else {
            let count = max(program.flows, 1)
            for index in 0..<count { open(offset: program.every * index / count) }
        }
    }

    /// Asks nothing more, waits for what is still unanswered, at most the timeout from when it was asked, and then
    /// reports `finished`.
    public func finish() {
        guard !isFinishing, !hasEnded else { return }
        isFinishing = true
        if let timer { loop.cancel(timer) }
        for flow in Array(running.values) { flow.finish() }
        manyFlows?.finish()
        finishIfDone()
    }

    /// Ends every flow at once and returns the figures as they stand; nothing is reported any more. A flow that was still
    /// waiting, with its timeout not over, counts as survived and its open probes as lost: for a verdict use `finish`.
    public func stop() -> TrafficResult {
        hasEnded = true
        if let timer { loop.cancel(timer) }
        for (number, flow) in running {
            results[number] = flow.abandon()
            late += flow.late
        }
        running = [:]
        context.kept?.close()
        if let manyFlows { return manyFlows.close() }
        return result
    }

    /// The figures so far: of the flows that have ended.
    private var result: TrafficResult {
        TrafficResult(
            program: program, flows: results.sorted { $0.key < $1.key }.map(\.value),
            late: late + (schedule?.late ?? 0), skipped: skipped, problem: problem)
    }

    // MARK: Many flows

    private func startManyFlows() {
        let manyFlows = ManyFlowGenerator(context) { [unowned self] in
            isReady = true
            onEvent(.ready)
        } onEnd: { [unowned self] result in
            self.manyFlows = nil
            hasEnded = true
            onEvent(.finished(result))
        }
        self.manyFlows = manyFlows
        manyFlows.start()
    }

    // MARK: Flows

    private func openWhatIsDue() {
        let now = loop.now
        while !isComplete, schedule?.take(at: now) != nil {
            for _ in 0..<(program.kind.type.opensSeveralAtOnce ? max(program.flows, 1) : 1) { openNext() }
        }
        guard !isComplete, let schedule else { return }
        timer = loop.schedule(at: schedule.nextDue) { [unowned self] in openWhatIsDue() }
    }

    /// Whether as many have begun as the program's `count` allows.
    private var isComplete: Bool {
        guard let count = program.options(of: CommandTraffic.self)?.count else { return false }
        return schedule.map { $0.next >= UInt64(count) } ?? false
    }

    private func openNext() {
        if running.count >= mostOpenProbes {
            skip("\(mostOpenProbes) probes are open already")
        } else if results.count + running.count >= Self.mostResults {
            skip("\(Self.mostResults) flows were made, the most whose results are kept")
        } else {
            open(offset: .zero)
        }
    }

    private func open(offset: Duration) {
        let number = nextFlow
        nextFlow += 1
        let callbacks = FlowCallbacks(
            onFirstAnswer: { [unowned self] in markAnswered(number) },
            onSkip: { [unowned self] in skip($0) },
            onShortage: { [unowned self] in dropped(number, $0) },
            onEnd: { [unowned self] in ended(number, $0) })
        guard case .each(let make) = FlowOpening.of(program.kind) else { return }
        let identity = FlowIdentity(program, number: context.number, flow: number)
        let flow = make(FlowOpening.Start(identity: identity, offset: offset, now: loop.now), context, callbacks)
        running[number] = flow
        unanswered.insert(number)
        flow.start()
    }

    private func skip(_ reason: String) {
        skipped += 1
        problem = reason
    }

    private func ended(_ number: UInt32, _ flowResult: FlowResult) {
        guard let flow = running.removeValue(forKey: number) else { return }
        late += flow.late
        results[number] = flowResult
        onEvent(.flowEnded(flowResult))
        markAnswered(number)
        finishIfDone()
    }

    private func dropped(_ number: UInt32, _ reason: String) {
        running[number] = nil
        skip(reason)
        markAnswered(number)
        finishIfDone()
    }

    private func markAnswered(_ number: UInt32) {
        guard unanswered.remove(number) != nil, !isReady else { return }
        guard unanswered.isEmpty || program.kind.opensFlowForEachProbe else { return }
        isReady = true
        onEvent(.ready)
    }

    private func finishIfDone() {
        guard isFinishing, running.isEmpty, manyFlows == nil, !hasEnded else { return }
        hasEnded = true
        context.kept?.close()
        // In a turn of its own: a flow may have ended within the call of `finish`.
        timer = loop.schedule(at: loop.now) { [unowned self] in onEvent(.finished(result)) }
    }
}

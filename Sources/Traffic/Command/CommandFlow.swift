internal import EventLoop
internal import LabTime
internal import Measurement
internal import TrafficModel
internal import Wire

/// A run of a command: its process and the timer of a `CommandModel`, which decides when it is over.
final class CommandFlow: Flow {
    let context: FlowContext
    let callbacks: FlowCallbacks
    private let run: Int
    private var model: CommandModel
    private var command: (any StartedCommand)?
    private let timer: FlowTimer
    /// Whether the command could not be started, which the timer is about to report.
    private var isRefused = false
    private(set) var hasEnded = false

    /// - Parameter run: its number among the program's, from 1
    init(_ model: CommandModel, run: Int, _ context: FlowContext, callbacks: FlowCallbacks) {
        self.model = model
        self.run = run
        self.context = context
        self.callbacks = callbacks
        timer = FlowTimer(on: context.loop)
    }

    // Nothing ends from within the call that starts the flow.
    func start() {
        do throws(CommandStartError) {
            guard let commands = context.commands, let options = context.program.options(of: CommandTraffic.self)
            else { throw CommandStartError("nothing here starts commands") }
            command = try commands.start(options.command, run: run) { [weak self] end in
                guard let self else { return }
                command = nil
                step(.ended(end))
            }
            followModel()
        } catch {
            let reason = error.reason
            isRefused = true
            timer.set(at: context.loop.now) { [unowned self] in failToStart("could not be started: \(reason)") }
        }
    }

    private func step(_ input: CommandInput) {
        guard !hasEnded else { return }
        for event in model.step(input, at: context.loop.now) {
            switch event {
            case .terminate: command?.terminate()
            case .kill: command?.kill()
            case .ended(let ending): end(ending)
            }
        }
        followModel()
    }

    private func followModel() {
        guard !hasEnded, let deadline = model.deadline else { return }
        timer.set(at: deadline) { [unowned self] in timeHasCome() }
    }

    private func timeHasCome() {
        // An end that is there already counts, although a busy machine has not let this process see it.
        command?.lookForEnd()
        step(.time)
    }

    func finish() { if !isRefused { step(.finish) } }

    func close(_ ending: FlowEnding) -> FlowResult {
        hasEnded = true
        timer.cancel()
        command?.kill()
        command = nil
        let now = context.loop.now
        return context.result(source: source, end: now, model.figures(at: now, ending), ending)
    }

    /// The address that the kernel chooses towards the target. Which ports the command has taken the captures show.
    private var source: Endpoint? {
        guard let socket = try? Socket(.udp, context.program.target.family) else { return nil }
        defer { socket.close() }
        guard (try? socket.connect(context.target)) != nil, let address = socket.localEndpoint?.address else {
            return nil
        }
        return Endpoint(address: address, port: 0)
    }

    var late: Int { 0 }
}

internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TrafficModel

/// The many-flow generator (`udp-crowd`): sockets and the timer of a `ManyFlowModel`, which decides who asks when.
final class ManyFlowGenerator {
    private let context: FlowContext
    private let onReady: () -> Void
    private let onEnd: (TrafficResult) -> Void
    private var model: ManyFlowModel
    private var sockets: ManyFlowSockets
    private let timer: FlowTimer

    /// - Parameters:
    ///   - onReady: every flow has had an answer, or has ended
    ///   - onEnd: called once, after `finish`, never from within it
    init(_ context: FlowContext, onReady: @escaping () -> Void, onEnd: @escaping (TrafficResult) -> Void) {
        self.context = context
        self.onReady = onReady
        self.onEnd = onEnd
        model = ManyFlowModel(context.program, number: context.number, at: context.loop.now)
        sockets = ManyFlowSockets(to: context.target)
        timer = FlowTimer(on: context.loop)
    }

    func start() {
        do throws(Errno) {
            for port in 0..<model.origins.ports {
                let descriptor = try sockets.open(context.ports)
                try context.loop.watch(descriptor) { [unowned self] _ in step(.readable(port: port)) }
            }
        } catch {
            model.failToStart(error.description)
            sockets.close(on: context.loop)
        }
        followDeadline()
    }

    private func step(_ input: ManyFlowInput) {
        for event in model.step(input, at: context.loop.now, over: &sockets) {
            switch event {
            case .ready: onReady()
            case .ended: return onEnd(close())
            }
        }
        followDeadline()
    }

    private func followDeadline() {
        guard let deadline = model.deadline else { return }
        timer.set(at: deadline) { [unowned self] in step(.time) }
    }

    /// Asks only flows whose newest request is unanswered, until all are answered or the timeout is over.
    func finish() { step(.finish) }

    /// Closes the sockets. The figures as they stand.
    func close() -> TrafficResult {
        timer.cancel()
        model.stop()
        let now = context.loop.now
        var listing = FlowListing()
        for flow in 0..<model.origins.flows {
            guard let (figures, ending, end) = model.figures(of: flow, at: now) else { continue }
            let port = sockets.port(model.origins.origin(of: flow).port)
            let source = Endpoint(address: model.source(of: flow), port: port)
            listing.add(context.result(source: source, end: end, figures, ending))
        }
        sockets.close(on: context.loop)
        let (listed, further) = listing.outcome
        let problems = model.problems
        return TrafficResult(
            program: context.program, flows: listed, late: model.late, skipped: problems.skipped,
            problem: problems.reason, further: further)
    }
}

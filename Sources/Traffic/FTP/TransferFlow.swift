internal import EventLoop
internal import Measurement
internal import SystemPackage
internal import TrafficModel

/// A file transfer on the kernel's sockets: the control connection, and data connections one after the other.
final class TransferFlow: Flow {
    let context: FlowContext
    let callbacks: FlowCallbacks
    private var model: TransferModel
    private var transport: TransferSockets?
    private var ends = FlowEnds()
    private let timer: FlowTimer
    private(set) var hasEnded = false

    init(_ context: FlowContext, offset: Duration, callbacks: FlowCallbacks) {
        self.context = context
        self.callbacks = callbacks
        timer = FlowTimer(on: context.loop)
        model = TransferModel(context.program, offset: offset, at: context.loop.now)
    }

    func start() {
        do throws(Errno) {
            let (socket, _) = try context.connectedSocket(.tcp)
            transport = TransferSockets(control: SocketTransport(socket, openedAt: context.loop.now), context) {
                [unowned self] in
                dataReady($0)
            } onAccept: { [unowned self] in
                accept()
            }
            transport?.control.end = ends.add(socket.localEndpoint, at: context.loop.now)
            // A connection that is complete already reports itself as writable like any other.
            try context.loop.watch(socket.descriptor, for: [.readable, .writable]) { [unowned self] in ready($0) }
            transport?.control.interest = [.readable, .writable]
            followModel()
        } catch {
            // Not from within the call that starts the flow.
            timer.set(at: context.loop.now) { [unowned self] in failToStart(error) }
        }
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if transport?.control.isConnected == false {
            if let error = transport?.control.socket.takeError() { return end(FlowEnding(error)) }
            guard readiness.contains(.writable) else { return }
            if let control = transport?.control { ends.set(control.socket.localEndpoint, of: control.end) }
            transport?.control.isConnected = true
            step(.control(.connected))
        }
        if !hasEnded, readiness.contains(.writable) { step(.control(.writable)) }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { step(.control(.readable)) }
    }

    // MARK: The data connection

    private func accept() {
        do throws(Errno) {
            if try transport?.accept() == true { step(.dataAccepted) }
        } catch {
            step(.dataFailed(FlowEnding(error)))
        }
    }

    private func dataReady(_ readiness: EventLoop.Readiness) {
        if let error = transport?.connectError() {
            var ending = FlowEnding(error)
            ending.reason = "data connection: " + (ending.reason ?? "")
            return step(.dataFailed(ending))
        }
        if transport?.isConnectingData == true {
            guard readiness.contains(.writable) else { return }
            transport?.dataIsConnected()
            step(.dataConnected)
        }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { step(.dataReadable) }
    }

    // MARK: What the model wants

    private func step(_ input: TransferInput) {
        guard !hasEnded, transport != nil else { return }
        report(model.step(input, at: context.loop.now, over: &transport!))
        followModel()
    }

    private func followModel() {
        guard !hasEnded else { return }
        if let control = transport?.control, control.isConnected {
            let interest: EventLoop.Interest = model.wantsToSend ? [.readable, .writable] : .readable
            if control.interest != interest {
                transport?.control.interest = interest
                try? context.loop.change(control.socket.descriptor, to: interest)
            }
        }
        guard let deadline = model.deadline else { return }
        timer.set(at: deadline) { [unowned self] in step(.control(.time)) }
    }

    // MARK: Ending

    var late: Int { 0 }

    func finish() { step(.control(.finish)) }

    func close(_ ending: FlowEnding) -> FlowResult {
        hasEnded = true
        timer.cancel()
        transport?.closeData()
        if let socket = transport?.control.socket {
            context.loop.unwatch(socket.descriptor)
            context.parting.part(with: socket)
        }
        let now = context.loop.now
        return context.result(ends, end: now, model.figures(at: now, ending), ending)
    }
}

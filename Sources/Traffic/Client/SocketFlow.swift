internal import EventLoop
internal import Measurement
internal import SystemPackage
internal import TLSSession
internal import TrafficModel

/// A flow on one socket: carries the model's bytes, watches the socket, and keeps the time.
///
/// A flow that gives up closes its connection normally, as an application does: with a FIN, so that no reset appears in
/// a capture that the network did not cause.
final class SocketFlow<Model: FlowModel>: Flow {
    let context: FlowContext
    let callbacks: FlowCallbacks
    private let kind: Socket.Kind
    /// Whether a connection that is complete at once counts as such at once, and not only when the loop reports it.
    private let connectsAtOnce: Bool
    private var model: Model
    private var transport: SocketTransport?
    private var source: Endpoint?
    private let timer: FlowTimer
    private(set) var hasEnded = false

    init(
        _ model: Model, over kind: Socket.Kind, connectsAtOnce: Bool = false, _ context: FlowContext,
        callbacks: FlowCallbacks
    ) {
        self.model = model
        self.context = context
        self.kind = kind
        self.connectsAtOnce = connectsAtOnce
        self.callbacks = callbacks
        timer = FlowTimer(on: context.loop)
    }

    func start() {
        let now = context.loop.now
        // Nothing ends from within the call that starts the flow.
        do {
            let tls = kind == .tcp && context.program.usesTLS ? try ClientTLSSession() : nil
            try open(tls)
        } catch let error as Errno {
            timer.set(at: now) { [unowned self] in failToStart(error) }
        } catch {
            timer.set(at: now) { [unowned self] in end(.tlsFailed(error)) }
        }
    }

    private func open(_ tls: ClientTLSSession?) throws(Errno) {
        let (socket, isConnected) = try context.connectedSocket(kind)
        transport = SocketTransport(socket, tls)
        source = socket.localEndpoint
        let interest: EventLoop.Interest = kind == .tcp ? [.readable, .writable] : .readable
        try context.loop.watch(socket.descriptor, for: interest) { [unowned self] in ready($0) }
        transport?.interest = interest
        transport?.isConnected = kind != .tcp
        if isConnected, connectsAtOnce { connected() }
        followModel()
    }

    private func connected() {
        source = transport?.socket.localEndpoint ?? source
        transport?.isConnected = true
        step(.connected)
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if transport?.isConnected == false {
            if let error = transport?.socket.takeError() { return end(FlowEnding(error)) }
            guard readiness.contains(.writable) else { return }
            connected()
        }
        if !hasEnded, readiness.contains(.writable) {
            if let ending = transport?.flush() { return end(ending) }
            step(.writable)
        }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { step(.readable) }
    }

    private func step(_ input: FlowInput) {
        guard !hasEnded, transport != nil else { return }
        report(model.step(input, at: context.loop.now, over: &transport!))
        followModel()
    }

    // MARK: What the model wants

    private func followModel() {
        guard !hasEnded else { return }
        if kind == .tcp, let transport, transport.isConnected {
            let interest: EventLoop.Interest =
                model.wantsToSend || transport.wantsToSend ? [.readable, .writable] : .readable
            if transport.interest != interest {
                self.transport?.interest = interest
                try? context.loop.change(transport.socket.descriptor, to: interest)
            }
        }
        guard let deadline = model.deadline else { return }
        timer.set(at: deadline) { [unowned self] in step(.time) }
    }

    // MARK: Ending

    func finish() { step(.finish) }

    func close(_ ending: FlowEnding) -> FlowResult {
        hasEnded = true
        timer.cancel()
        if let socket = transport?.socket {
            context.loop.unwatch(socket.descriptor)
            if kind == .tcp { context.parting.part(with: socket) } else { socket.close() }
        }
        let now = context.loop.now
        return context.result(source: source, end: now, model.figures(at: now, ending), ending)
    }

    var late: Int { model.late }
}

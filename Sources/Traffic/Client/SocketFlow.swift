internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TLSSession
internal import TrafficModel

/// A flow on one socket at a time: carries the model's bytes, watches the socket, opens another one where the model
/// orders it, and keeps the time.
///
/// A flow that gives up closes its connection normally, as an application does: with a FIN, so that no reset appears in
/// a capture that the network did not cause.
final class SocketFlow<Model: FlowModel>: Flow {
    /// Sockets for datagrams that a flow has left, and whose late answers it still takes.
    private static var mostFormer: Int { 8 }

    let context: FlowContext
    let callbacks: FlowCallbacks
    private let kind: Socket.Kind
    /// Whether a connection that is complete at once counts as such at once, and not only when the loop reports it.
    private let connectsAtOnce: Bool
    /// Whether sockets for datagrams that it has left still take answers.
    private let keepsFormer: Bool
    private var model: Model
    private var transport: SocketTransport?
    private var former: [SocketTransport] = []
    private var ends = FlowEnds()
    /// Whether the model has ordered to let go of the connection, or could not have one.
    private var isWithout = false
    private let timer: FlowTimer
    private(set) var hasEnded = false

    init(
        _ model: Model, over kind: Socket.Kind, connectsAtOnce: Bool = false, keepsFormer: Bool = true,
        _ context: FlowContext, callbacks: FlowCallbacks
    ) {
        self.model = model
        self.context = context
        self.kind = kind
        self.connectsAtOnce = connectsAtOnce
        self.keepsFormer = keepsFormer
        self.callbacks = callbacks
        timer = FlowTimer(on: context.loop)
    }

    // Nothing ends from within the call that starts the flow.
    func start() {
        let now = context.loop.now
        if kind == .tcp, let kept = context.kept?.take(at: now) {
            return timer.set(at: now) { [unowned self] in goOn(with: kept) }
        }
        do {
            try open()
        } catch let error as Errno {
            timer.set(at: now) { [unowned self] in
                if error.isShortage { return failToStart(error) }
                isWithout = true
                step(.failed(FlowEnding(error)))
            }
        } catch {
            timer.set(at: now) { [unowned self] in end(.tlsFailed(error)) }
        }
    }

    private func open() throws {
        let tls = kind == .tcp && context.program.usesTLS ? try ClientTLSSession() : nil
        let (socket, isConnected) = try context.connectedSocket(kind)
        transport = SocketTransport(socket, tls, openedAt: context.loop.now)
        isWithout = false
        transport?.end = ends.add(socket.localEndpoint, at: context.loop.now)
        transport?.isConnected = kind != .tcp
        try watch(socket, for: kind == .tcp ? [.readable, .writable] : .readable)
        if isConnected, connectsAtOnce { connected() }
        followModel()
    }

    private func watch(_ socket: Socket, for interest: EventLoop.Interest) throws(Errno) {
        let descriptor = socket.descriptor
        try context.loop.watch(descriptor, for: interest) { [unowned self] in
            if transport?.socket.descriptor == descriptor { ready($0) } else { formerIsReadable(descriptor) }
        }
        transport?.interest = interest
    }

    private func goOn(with kept: SocketTransport) {
        transport = kept
        transport?.end = ends.add(kept.socket.localEndpoint, at: context.loop.now)
        do {
            try watch(kept.socket, for: [.readable, .writable])
            connected()
        } catch {
            step(.failed(FlowEnding(error)))
        }
    }

    private func connected() {
        if let transport {
            ends.set(transport.socket.localEndpoint, of: transport.end)
            ends.markAnswered(transport.end)
        }
        transport?.isConnected = true
        step(.connected)
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if transport?.isConnected == false {
            if let error = transport?.socket.takeError() { return step(.failed(FlowEnding(error))) }
            guard readiness.contains(.writable) else { return }
            connected()
        }
        if !hasEnded, readiness.contains(.writable) {
            if let ending = transport?.flush() { return step(.failed(ending)) }
            step(.writable)
        }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { step(.readable) }
    }

    private func step(_ input: FlowInput) {
        guard !hasEnded else { return }
        if transport != nil {
            report(model.step(input, at: context.loop.now, over: &transport!))
        } else if isWithout {
            var none = NoConnection()
            report(model.step(input, at: context.loop.now, over: &none))
        } else {
            return
        }
        followModel()
    }

    /// A late answer to what was asked from another port.
    private func formerIsReadable(_ descriptor: Int32) {
        guard !hasEnded, let place = former.firstIndex(where: { $0.socket.descriptor == descriptor }) else { return }
        report(model.step(.readable, at: context.loop.now, over: &former[place]))
        followModel()
    }

    // MARK: What the model wants

    func follow(_ order: ConnectionOrder) {
        guard !hasEnded else { return }
        leave()
        guard order == .open else { return }
        do {
            try open()
            if kind == .udp { step(.connected) }
        } catch let error as Errno {
            step(.failed(FlowEnding(error)))
        } catch {
            end(.tlsFailed(error))
        }
    }

    private func leave() {
        isWithout = true
        guard let left = transport else { return }
        transport = nil
        if kind == .udp, keepsFormer {
            former.append(left)
            if former.count > Self.mostFormer { release(former.removeFirst()) }
        } else {
            release(left)
        }
    }

    private func release(_ transport: SocketTransport) {
        if transport.hasReceived { ends.markAnswered(transport.end) }
        context.loop.unwatch(transport.socket.descriptor)
        if kind == .tcp { context.parting.part(with: transport.socket) } else { transport.socket.close() }
    }

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
        let now = context.loop.now
        if let transport, model.leavesConnectionUsable, let kept = context.kept {
            context.loop.unwatch(transport.socket.descriptor)
            kept.put(transport)
        } else if let transport {
            release(transport)
        }
        for transport in former { release(transport) }
        (transport, former) = (nil, [])
        return context.result(ends, end: now, model.figures(at: now, ending), ending)
    }

    var late: Int { model.late }
}

/// Between two connections.
private struct NoConnection: FlowTransport {
    func connection() -> ConnectionState { .pending }
    func send(_ bytes: UnsafeRawBufferPointer) -> TransportOutcome { .wouldBlock }
    func receive(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome { .wouldBlock }
}

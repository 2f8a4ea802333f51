internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TLSSession

/// One probe over a connection from a new source port: one request, its answer, and a close. Patience runs from the
/// first SYN to the answer. What is asked, and what counts as an answer, is its subclasses' business.
class ConnectionProbe: Flow {
    let context: FlowContext
    let flow: UInt32
    let events: FlowEvents
    /// What `ask` wants to be sent.
    var request: [UInt8] = []
    var meter: FlowMeter
    private(set) var hasEnded = false
    /// Bytes that are still to be sent: the request, or TLS records.
    private var output: [UInt8] = []
    private var tls: ClientTLSSession?
    private var socket: Socket?
    private var source: Endpoint?
    private var started: Instant
    /// Time until the handshake was complete; nil until then.
    private var latency: Duration?
    private var timer: EventLoop.Timer?

    init(_ context: FlowContext, flow: UInt32, events: FlowEvents) {
        self.context = context
        self.flow = flow
        self.events = events
        started = context.loop.now
        meter = FlowMeter(cadence: context.program.every, patience: context.program.patience)
    }

    // MARK: Of the subclasses

    /// The request of this number as bytes.
    func ask(_ sequence: UInt64, at now: Instant) {}

    /// The handshake is complete.
    func connected(at now: Instant) {}

    func take(_ bytes: UnsafeRawBufferPointer) {}

    func closedByPeer() { end(.closedByPeer) }

    /// Adds what only this kind of probe knows.
    func complete(_ result: inout FlowResult) {}

    // MARK: The connection

    final func start() {
        started = context.loop.now
        ask(meter.ask(at: started), at: started)
        do {
            output = try context.program.usesTLS ? openTLS(with: request) : request
        } catch {
            timer = context.loop.schedule(at: started) { [unowned self] in tlsFailed(error) }
            return
        }
        do throws(Errno) {
            let (socket, _) = try context.connectedSocket(.tcp)
            self.socket = socket
            source = socket.localEndpoint
            // A connection that is complete already reports itself as writable like any other.
            try context.loop.watch(socket.descriptor, for: [.readable, .writable]) { [unowned self] in ready($0) }
            timer = context.loop.schedule(at: started + context.program.patience) { [unowned self] in giveUp() }
        } catch {
            timer = context.loop.schedule(at: started) { [unowned self] in failToStart(error) }
        }
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if latency == nil {
            if let error = socket?.takeError() { return end(FlowEnding(error)) }
            guard readiness.contains(.writable) else { return }
            let now = context.loop.now
            latency = now - started
            source = socket?.localEndpoint ?? source
            connected(at: now)
        }
        if !hasEnded, readiness.contains(.writable) { send() }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { read() }
    }

    private func send() {
        guard let socket, !output.isEmpty else { return }
        switch output.withUnsafeBytes({ socket.send($0) }) {
        case .bytes(let count): output.removeFirst(count)
        case .wouldBlock, .endOfStream: break
        case .failed(let error): return end(FlowEnding(error == .brokenPipe ? .connectionReset : error))
        }
        try? context.loop.change(socket.descriptor, to: output.isEmpty ? .readable : [.readable, .writable])
    }

    private func read() {
        switch socket?.receiveAll(isStream: true, while: { !hasEnded }, receive) {
        case .endOfStream: closedByPeer()
        case .failed(let error): end(FlowEnding(error))
        case .bytes, .wouldBlock, nil: break
        }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        guard let tls else { return take(bytes) }
        do {
            let (answer, reply) = try tls.receive(bytes)
            if !reply.isEmpty {
                output += reply
                send()
            }
            if !hasEnded, !answer.isEmpty { answer.withUnsafeBytes { take($0) } }
        } catch {
            tlsFailed(error)
        }
    }

    private func openTLS(with request: [UInt8]) throws -> [UInt8] {
        let session = try ClientTLSSession()
        tls = session
        return try session.send(request)
    }

    private func tlsFailed(_ error: any Error) {
        end(FlowEnding(outcome: .refused, reason: "TLS: \(ClientTLSSession.words(error))"))
    }

    // MARK: Ending

    private func giveUp() {
        // What is here already counts, although a busy machine has not let this process read it.
        if latency == nil {
            ready(socket.map { $0.isConnected ? .writable : [] } ?? [])
        } else {
            read()
        }
        guard !hasEnded, meter.hasTimedOut(at: context.loop.now) else { return }
        let what = latency == nil ? "connection" : "answer"
        end(.impatient(context.program, waitingFor: what))
    }

    /// The probe has asked already: it ends as it would have.
    final func finish() {}

    final func close(_ ending: FlowEnding) -> FlowResult {
        hasEnded = true
        if let timer { context.loop.cancel(timer) }
        if let socket {
            context.loop.unwatch(socket.descriptor)
            context.parting.part(with: socket)
        }
        let now = context.loop.now
        var result = context.result(
            source: source, start: started, end: now, reading: meter.reading(endedAt: now, outcome: ending.outcome),
            ending: ending, latency: latency, garbage: 0)
        complete(&result)
        return result
    }

    final var late: Int { 0 }
}

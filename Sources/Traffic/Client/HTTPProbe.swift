internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TLSSession
internal import Wire

/// One probe of `http-request`: a connection from a new source port, one GET and its answer with its status, and
/// a close. Patience runs from the first SYN to the answer's end. It survives with a status below 400.
final class HTTPProbe: Flow {
    private let context: FlowContext
    private let flow: UInt32
    private let events: FlowEvents
    private var socket: Socket?
    private var source: Endpoint?
    private var started: Instant
    /// Time until the handshake was complete; nil until then.
    private var latency: Duration?
    private var meter: FlowMeter
    private var reader = HTTPAnswerReader()
    /// What is to be sent still.
    private var output: [UInt8] = []
    private var tls: ClientTLSSession?
    private var timer: EventLoop.Timer?
    private var hasEnded = false

    init(_ context: FlowContext, flow: UInt32, events: FlowEvents) {
        self.context = context
        self.flow = flow
        self.events = events
        started = context.loop.now
        meter = FlowMeter(cadence: context.program.every, patience: context.program.patience)
    }

    func start() {
        started = context.loop.now
        _ = meter.ask(at: started)
        let request = Array(
            "GET \(context.program.path) HTTP/1.1\r\nHost: \(context.target.address.bracketed)\r\nUser-Agent: failoverlab\r\nConnection: close\r\n\r\n"
                .utf8)
        if context.program.usesTLS {
            do {
                let session = try ClientTLSSession()
                tls = session
                output = try session.send(request)
            } catch {
                timer = context.loop.schedule(at: started) { [unowned self] in tlsFailed(error) }
                return
            }
        } else {
            output = request
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
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            while !hasEnded, let socket {
                switch socket.receive(into: buffer, isStream: true) {
                case .bytes(let count): take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .wouldBlock: return
                case .endOfStream: return reader.status == nil ? end(.closedByPeer) : answered()
                case .failed(let error): return end(FlowEnding(error))
                }
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let tls else { return takeAnswer(bytes) }
        do {
            let (answer, reply) = try tls.receive(bytes)
            if !reply.isEmpty {
                output += reply
                send()
            }
            if !hasEnded, !answer.isEmpty { answer.withUnsafeBytes { takeAnswer($0) } }
        } catch {
            tlsFailed(error)
        }
    }

    private func tlsFailed(_ error: any Error) {
        end(FlowEnding(outcome: .refused, reason: "TLS: \(ClientTLSSession.words(error))"))
    }

    private func takeAnswer(_ bytes: UnsafeRawBufferPointer) {
        reader.consume(bytes)
        if reader.isGarbage { return end(FlowEnding(outcome: .reset, reason: "the answer is no HTTP")) }
        if reader.isComplete { answered() }
    }

    private func answered() {
        guard let status = reader.status else { return }
        meter.answered(0, at: context.loop.now)
        events.onFirstAnswer()
        guard status >= 400 else { return end(.survived) }
        let why = reader.reason.map { ": \($0)" } ?? ""
        end(FlowEnding(outcome: .refused, reason: "status \(status)\(why)"))
    }

    private func giveUp() {
        // What is here already counts, although a busy machine has not let this process read it.
        if latency == nil {
            ready(socket.map { $0.isConnected ? .writable : [] } ?? [])
        } else {
            read()
        }
        guard !hasEnded, meter.hasLostPatience(at: context.loop.now) else { return }
        let what = latency == nil ? "connection" : "answer"
        end(.impatient(context.program, waitingFor: what))
    }

    /// The probe has asked already: it ends as it would have.
    func finish() {}

    func abandon() -> FlowResult { close(.survived) }

    private func failToStart(_ error: Errno) {
        guard error.isShortage else { return end(FlowEnding(error)) }
        _ = close(.survived)
        events.onShortage(error.description)
    }

    private func end(_ ending: FlowEnding) {
        guard !hasEnded else { return }
        let result = close(ending)
        events.onEnd(result)
    }

    private func close(_ ending: FlowEnding) -> FlowResult {
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
        result.status = reader.status
        return result
    }

    var late: Int { 0 }
}

internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import Wire

/// An FTP control connection with one file after the other, each over a data connection of its own (`ftp`).
///
/// A transfer is one probe: it is asked when the client asks for, or announces, a data connection, and answered when the
/// whole file is there and the server has said so. It has `data-after` and the application's patience for that. The
/// next one begins `every` after it began, or when it is over.
final class TransferFlow: Flow {
    private enum State: String {
        case connecting = "connection"
        case loggingIn = "reply to the login"
        case idle = "transfer"
        /// PASV, EPSV, PORT or EPRT was sent.
        case agreeing = "reply to the announcement"
        /// The data connection is agreed upon; it begins after a while.
        case agreed
        case opening = "data connection"
        case transferring = "end of the file"
        case ended
    }

    let context: FlowContext
    let events: FlowEvents
    private let transfer: FileTransfer
    /// After the login, before the first transfer: flows of one program do not all begin at the same moment.
    private let offset: Duration
    private var state = State.connecting
    private var finishesWhenIdle = false
    private var control: Socket?
    private var source: Endpoint?
    private var peer: Endpoint?
    private var lines = ControlLines()
    private var output: [UInt8] = []
    private var listener: Socket?
    private var data: Socket?
    /// Where the server listens.
    private var dataTarget: Endpoint?
    private var received = 0
    private var fileIsWhole = false
    private var serverIsDone = false
    private var garbage = 0
    private var started: Instant
    private var transferBegan: Instant
    private var probe: UInt64 = 0
    private var meter: FlowMeter
    private var timer: EventLoop.Timer?
    private var timeoutTimer: EventLoop.Timer?

    init(_ context: FlowContext, offset: Duration, events: FlowEvents) {
        self.context = context
        self.offset = offset
        self.events = events
        transfer = context.program.transfer ?? FileTransfer()
        started = context.loop.now
        transferBegan = started
        meter = FlowMeter(
            cadence: context.program.every, patience: context.program.patience + transfer.dataAfter)
    }

    // MARK: The control connection

    func start() {
        started = context.loop.now
        do throws(Errno) {
            let (socket, _) = try context.connectedSocket(.tcp)
            control = socket
            source = socket.localEndpoint
            // A connection that is complete already reports itself as writable like any other.
            try context.loop.watch(socket.descriptor, for: [.readable, .writable]) { [unowned self] in ready($0) }
            watchTimeout(until: started + context.program.patience)
        } catch {
            // Not from within the call that starts the flow.
            timer = context.loop.schedule(at: started) { [unowned self] in failToStart(error) }
        }
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if state == .connecting {
            if let error = control?.takeError() { return end(FlowEnding(error)) }
            guard readiness.contains(.writable) else { return }
            source = control?.localEndpoint ?? source
            peer = control?.peerEndpoint
            state = .loggingIn
        }
        if readiness.contains(.writable) { flush() }
        if !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) { readControl() }
    }

    private func say(_ line: String) {
        output += Array("\(line)\r\n".utf8)
        flush()
    }

    private func flush() {
        guard let control else { return }
        if !output.isEmpty {
            switch output.withUnsafeBytes({ control.send($0) }) {
            case .bytes(let count): output.removeFirst(count)
            case .wouldBlock, .endOfStream: break
            case .failed(let error): return end(FlowEnding(error == .brokenPipe ? .connectionReset : error))
            }
        }
        try? context.loop.change(control.descriptor, to: output.isEmpty ? .readable : [.readable, .writable])
    }

    private func readControl() {
        switch control?.receiveAll(isStream: true, while: { !hasEnded }, takeControl) {
        case .endOfStream: end(.closedByPeer)
        case .failed(let error): end(FlowEnding(error))
        case .bytes, .wouldBlock, nil: break
        }
    }

    private func takeControl(_ bytes: UnsafeRawBufferPointer) {
        lines.consume(bytes) { line in
            if !hasEnded, let reply = FTPReply(line) { take(reply) }
        }
    }

    private func take(_ reply: FTPReply) {
        guard reply.code < 400 else {
            return end(FlowEnding(outcome: .refused, reason: "the server said: \(reply.code) \(reply.text)"))
        }
        switch (state, reply.code) {
        case (.loggingIn, 220): say("USER anonymous")
        case (.loggingIn, 331): say("PASS lab@")
        case (.loggingIn, 230): say("TYPE I")
        case (.loggingIn, 200):
            // The program is at work: when its files come is a matter of `data-after`, too.
            events.onFirstAnswer()
            beIdle(from: context.loop.now + offset)
        case (.agreeing, 200) where transfer.mode.isActive: agreed()
        case (.agreeing, 227):
            dataTarget = DataEndpointText.classic(reply.text)
            agreed()
        case (.agreeing, 229):
            dataTarget = DataEndpointText.port(reply.text).flatMap { port in
                peer.map { Endpoint(address: $0.address, port: port) }
            }
            agreed()
        case (.opening, 226), (.transferring, 226):
            serverIsDone = true
            completeIfDone()
        default: break
        }
    }

    // MARK: Transfers

    private func beIdle(from instant: Instant) {
        state = .idle
        if finishesWhenIdle, meter.newest != nil { return end(.survived) }
        cancelTimer()
        let due = finishesWhenIdle ? context.loop.now : max(instant, context.loop.now)
        timer = context.loop.schedule(at: due) { [unowned self] in begin() }
    }

    private func begin() {
        guard state == .idle else { return }
        transferBegan = context.loop.now
        probe = meter.ask(at: transferBegan)
        (received, fileIsWhole, serverIsDone, dataTarget) = (0, false, false, nil)
        state = .agreeing
        watchTimeout(until: meter.timesOutAt ?? transferBegan)
        switch transfer.mode {
        case .passive: say("PASV")
        case .extendedPassive: say("EPSV")
        case .active, .extendedActive: announce()
        }
    }

    private func announce() {
        do throws(Errno) {
            guard let own = control?.localEndpoint else { throw .socketNotConnected }
            let socket = try Socket(.tcp, own.address.family)
            try socket.bind(Endpoint(address: own.address, port: 0))
            try socket.listen(backlog: 1)
            try context.loop.watch(socket.descriptor) { [unowned self] _ in accept() }
            listener = socket
            guard var endpoint = socket.localEndpoint else { throw .socketNotConnected }
            endpoint.address = transfer.announced ?? endpoint.address
            if transfer.mode == .extendedActive {
                say("EPRT \(DataEndpointText.extended(endpoint))")
            } else {
                say("PORT \(DataEndpointText.classic(endpoint) ?? "")")
            }
        } catch {
            end(FlowEnding(error))
        }
    }

    private func agreed() {
        guard transfer.mode.isActive || dataTarget != nil else {
            return end(FlowEnding(outcome: .refused, reason: "the server's announcement cannot be read"))
        }
        state = .agreed
        cancelTimer()
        timer = context.loop.schedule(after: transfer.dataAfter) { [unowned self] in openData() }
    }

    private func openData() {
        state = .opening
        guard !transfer.mode.isActive else { return say("RETR \(transfer.bytes)") }
        do throws(Errno) {
            guard let dataTarget else { return }
            let socket = try Socket(.tcp, dataTarget.address.family)
            try context.ports.bind(socket)
            try socket.resetWhenClosed()
            _ = try socket.connect(dataTarget)
            try watchData(socket, for: [.readable, .writable])
        } catch {
            end(FlowEnding(error))
        }
    }

    private func accept() {
        guard data == nil, let socket = try? listener?.accept() else { return }
        do throws(Errno) {
            try socket.resetWhenClosed()
            try watchData(socket, for: .readable)
            if state == .opening { state = .transferring }
        } catch {
            end(FlowEnding(error))
        }
    }

    private func watchData(_ socket: Socket, for interest: EventLoop.Interest) throws(Errno) {
        try context.loop.watch(socket.descriptor, for: interest) { [unowned self] in dataReady($0) }
        data = socket
    }

    private func dataReady(_ readiness: EventLoop.Readiness) {
        guard let data else { return }
        if state == .opening, !transfer.mode.isActive {
            if let error = data.takeError() {
                var ending = FlowEnding(error)
                ending.reason = "data connection: " + (ending.reason ?? "")
                return end(ending)
            }
            guard readiness.contains(.writable) else { return }
            state = .transferring
            try? context.loop.change(data.descriptor, to: .readable)
            say("RETR \(transfer.bytes)")
        }
        guard !hasEnded, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        switch data.receiveAll(isStream: true, while: { !hasEnded }, takeData) {
        case .endOfStream: endOfFile()
        case .failed(let error): end(FlowEnding(error))
        case .bytes, .wouldBlock: break
        }
    }

    private func takeData(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if received >= transfer.bytes || byte != FileTransfer.byte(at: received) { garbage += 1 }
            received += 1
        }
    }

    private func endOfFile() {
        guard received == transfer.bytes else {
            return end(
                FlowEnding(
                    outcome: .reset,
                    reason: "the data connection was closed after \(received) of \(transfer.bytes) bytes"))
        }
        fileIsWhole = true
        closeData()
        completeIfDone()
    }

    private func completeIfDone() {
        guard fileIsWhole, serverIsDone else { return }
        meter.answered(probe, at: context.loop.now)
        beIdle(from: transferBegan + context.program.every)
    }

    private func closeData() {
        if let listener {
            context.loop.unwatch(listener.descriptor)
            listener.close()
        }
        if let data {
            context.loop.unwatch(data.descriptor)
            context.parting.part(with: data)
        }
        (listener, data) = (nil, nil)
    }

    // MARK: Ending

    var hasEnded: Bool { state == .ended }
    var late: Int { 0 }

    func finish() {
        guard !finishesWhenIdle else { return }
        finishesWhenIdle = true
        guard state == .idle else { return }
        cancelTimer()
        // A flow that was told to finish before its first transfer makes one, so that it has an outcome.
        timer = context.loop.schedule(at: context.loop.now) { [unowned self] in
            if meter.newest == nil { begin() } else { end(.survived) }
        }
    }

    private func cancelTimer() {
        if let timer { context.loop.cancel(timer) }
        timer = nil
    }

    /// One timer for the whole flow: when it fires, it moves on to where patience really ends by then.
    private func watchTimeout(until instant: Instant) {
        if let timeoutTimer { context.loop.cancel(timeoutTimer) }
        timeoutTimer = context.loop.schedule(at: instant) { [unowned self] in
            let now = context.loop.now
            // What is here already counts, although a busy machine has not let this process read it.
            if state != .connecting { readControl() }
            if !hasEnded, data != nil, state == .transferring { dataReady(.readable) }
            guard !hasEnded else { return }
            let isOver =
                state == .connecting || state == .loggingIn
                ? now >= started + context.program.patience : meter.hasTimedOut(at: now)
            if isOver { return end(.impatient(context.program, waitingFor: state.rawValue)) }
            watchTimeout(until: meter.timesOutAt ?? now + context.program.patience)
        }
    }

    func close(_ ending: FlowEnding) -> FlowResult {
        state = .ended
        for timer in [timer, timeoutTimer].compactMap(\.self) { context.loop.cancel(timer) }
        closeData()
        if let control {
            context.loop.unwatch(control.descriptor)
            context.parting.part(with: control)
        }
        let now = context.loop.now
        return context.result(
            source: source, start: started, end: now, reading: meter.reading(endedAt: now, outcome: ending.outcome),
            ending: ending, garbage: garbage)
    }
}

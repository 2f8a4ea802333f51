package import LabTime
package import Measurement
internal import Wire

/// What a file transfer does besides its control connection, which is the `FlowTransport` itself: data connections.
package protocol TransferTransport: FlowTransport {
    /// The server's end of the control connection.
    var peer: Endpoint? { get }

    /// Listens for the server's data connection, on the client's address of the control connection.
    mutating func listenForData() -> DataListening

    /// - Returns: why it cannot even begin; nil where it is on its way
    mutating func connectData(to endpoint: Endpoint) -> FlowEnding?

    mutating func receiveData(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome

    /// Closes the data connection and what listens for one.
    mutating func closeData()
}

package enum DataListening: Hashable, Sendable {
    case listening(Endpoint)
    case failed(FlowEnding)
}

/// What a file transfer learns besides what any flow does.
package enum TransferInput: Hashable, Sendable {
    case control(FlowInput)
    /// The client's handshake is complete.
    case dataConnected
    /// The server's handshake is complete.
    case dataAccepted
    case dataFailed(FlowEnding)
    case dataReadable
}

/// An FTP control connection with one file after the other, each over a data connection of its own (`ftp`).
///
/// A transfer is one probe: it is asked when the client asks for, or announces, a data connection, and answered when
/// the whole file is there and the server has confirmed it. It has `data-after` and the application's timeout for that.
/// The next one begins `every` after it began, or when it is over.
/// Source: RFC 959; RFC 2428
package struct TransferModel: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case connecting
        case loggingIn
        case idle(until: Instant)
        /// PASV, EPSV, PORT or EPRT was sent.
        case agreeing
        /// The data connection is agreed upon and begins after a while: to the server's endpoint, or from it.
        case agreed(Endpoint?, opensAt: Instant)
        case opening
        case transferring
        case ended

        /// What a timeout waited for.
        var awaited: String {
            switch self {
            case .connecting: "connection"
            case .loggingIn: "reply to the login"
            case .idle: "transfer"
            case .agreeing: "reply to the announcement"
            case .agreed: "agreed"
            case .opening: "data connection"
            case .transferring: "end of the file"
            case .ended: "ended"
            }
        }
    }

    /// One file on its way.
    private struct Progress: Hashable, Sendable {
        var began: Instant
        var probe: UInt64
        var received = 0
        var fileIsWhole = false
        var serverIsDone = false
    }

    private let program: TrafficProgram
    /// After the login, before the first transfer: flows of one program do not all begin at the same moment.
    private let offset: Duration
    private let started: Instant
    private(set) var phase = Phase.connecting
    private var finishesWhenIdle = false
    private var lines = ControlLines()
    private var output: [UInt8] = []
    private var progress: Progress?
    private var garbage = 0
    private var meter: FlowMeter
    /// When it looks whether it has timed out: moves on to where the timeout really ends by then.
    private var nextLook: Instant

    package init(_ program: TrafficProgram, offset: Duration, at now: Instant) {
        self.program = program
        self.offset = offset
        started = now
        nextLook = now + program.timeout
        let dataAfter = (program.transfer ?? FileTransfer()).dataAfter
        meter = FlowMeter(cadence: program.every, timeout: program.timeout + dataAfter)
    }

    private var transfer: FileTransfer { program.transfer ?? FileTransfer() }

    package var deadline: Instant? {
        switch phase {
        case .idle(let instant), .agreed(_, let instant): min(instant, nextLook)
        case .connecting, .loggingIn, .agreeing, .opening, .transferring: nextLook
        case .ended: nil
        }
    }

    package var wantsToSend: Bool { !output.isEmpty }

    private var hasEnded: Bool { phase == .ended }

    package mutating func step(
        _ input: TransferInput, at now: Instant, over transport: inout some TransferTransport
    ) -> [FlowEvent] {
        var step = Step(now: now)
        switch (phase, input) {
        case (.ended, _): break
        case (.connecting, .control(.connected)): phase = .loggingIn
        case (.connecting, .control(.writable)), (.connecting, .control(.readable)), (_, .control(.connected)): break
        case (_, .control(.writable)): flush(&transport, &step)
        case (_, .control(.readable)): readControl(&transport, &step)
        case (_, .control(.time)): timePassed(&transport, &step)
        case (_, .control(.finish)): finish(now)
        case (.opening, .dataConnected):
            guard !transfer.mode.isActive else { break }
            phase = .transferring
            send("RETR \(transfer.bytes)", &transport, &step)
        case (.opening, .dataAccepted): phase = .transferring
        case (_, .dataConnected), (_, .dataAccepted): break
        case (_, .dataFailed(let ending)): end(ending, &step)
        case (_, .dataReadable): readData(&transport, &step)
        }
        return step.events
    }

    /// What one call gathers.
    private struct Step {
        let now: Instant
        var events: [FlowEvent] = []
    }

    private mutating func end(_ ending: FlowEnding, _ step: inout Step) {
        guard !hasEnded else { return }
        phase = .ended
        step.events.append(.ended(ending))
    }

    // MARK: The control connection

    private mutating func send(_ line: String, _ transport: inout some TransferTransport, _ step: inout Step) {
        output += Array("\(line)\r\n".utf8)
        flush(&transport, &step)
    }

    private mutating func flush(_ transport: inout some TransferTransport, _ step: inout Step) {
        guard !output.isEmpty else { return }
        switch output.withUnsafeBytes({ transport.send($0) }) {
        case .bytes(let count): output.removeFirst(count)
        case .wouldBlock, .endOfStream: break
        case .failed(let ending): end(ending, &step)
        }
    }

    private mutating func readControl(_ transport: inout some TransferTransport, _ step: inout Step) {
        var replies: [FTPReply] = []
        let outcome = transport.receive { bytes in
            lines.consume(bytes) { line in if let reply = FTPReply(line) { replies.append(reply) } }
            return true
        }
        for reply in replies where !hasEnded { take(reply, &transport, &step) }
        switch outcome {
        case .endOfStream: end(.closedByPeer, &step)
        case .failed(let ending): end(ending, &step)
        case .bytes, .wouldBlock: break
        }
    }

    private mutating func take(_ reply: FTPReply, _ transport: inout some TransferTransport, _ step: inout Step) {
        guard reply.code < 400 else {
            return end(
                FlowEnding(outcome: .refused, reason: "the server said: \(reply.code) \(reply.text)"), &step)
        }
        switch (phase, reply.code) {
        case (.loggingIn, 220): send("USER anonymous", &transport, &step)
        case (.loggingIn, 331): send("PASS lab@", &transport, &step)
        case (.loggingIn, 230): send("TYPE I", &transport, &step)
        case (.loggingIn, 200):
            // The program is at work: when its files come is a matter of `data-after`, too.
            step.events.append(.firstAnswer)
            beIdle(from: step.now + offset, &step)
        case (.agreeing, 200) where transfer.mode.isActive: agreed(nil, &step)
        case (.agreeing, 227): agreed(DataEndpointText.classic(reply.text), &step)
        case (.agreeing, 229):
            let port = DataEndpointText.port(reply.text)
            agreed(
                port.flatMap { port in transport.peer.map { Endpoint(address: $0.address, port: port) } }, &step)
        case (.opening, 226), (.transferring, 226):
            progress?.serverIsDone = true
            completeIfDone(&step)
        default: break
        }
    }

    // MARK: Transfers

    private mutating func beIdle(from instant: Instant, _ step: inout Step) {
        phase = .idle(until: finishesWhenIdle ? step.now : max(instant, step.now))
        if finishesWhenIdle, meter.newest != nil { end(.survived, &step) }
    }

    private mutating func begin(_ transport: inout some TransferTransport, _ step: inout Step) {
        progress = Progress(began: step.now, probe: meter.ask(at: step.now))
        phase = .agreeing
        nextLook = meter.timesOutAt ?? step.now
        switch transfer.mode {
        case .passive: send("PASV", &transport, &step)
        case .extendedPassive: send("EPSV", &transport, &step)
        case .active, .extendedActive: announce(&transport, &step)
        }
    }

    private mutating func announce(_ transport: inout some TransferTransport, _ step: inout Step) {
        switch transport.listenForData() {
        case .failed(let ending): end(ending, &step)
        case .listening(var endpoint):
            endpoint.address = transfer.announced ?? endpoint.address
            if transfer.mode == .extendedActive {
                send("EPRT \(DataEndpointText.extended(endpoint))", &transport, &step)
            } else {
                send("PORT \(DataEndpointText.classic(endpoint) ?? "")", &transport, &step)
            }
        }
    }

    private mutating func agreed(_ target: Endpoint?, _ step: inout Step) {
        guard transfer.mode.isActive || target != nil else {
            return end(FlowEnding(outcome: .refused, reason: "the server's announcement cannot be read"), &step)
        }
        phase = .agreed(target, opensAt: step.now + transfer.dataAfter)
    }

    private mutating func openData(
        _ target: Endpoint?, _ transport: inout some TransferTransport, _ step: inout Step
    ) {
        phase = .opening
        guard !transfer.mode.isActive else { return send("RETR \(transfer.bytes)", &transport, &step) }
        guard let target else { return }
        if let ending = transport.connectData(to: target) { end(ending, &step) }
    }

    private mutating func readData(_ transport: inout some TransferTransport, _ step: inout Step) {
        let bytes = transfer.bytes
        var (received, wrong) = (progress?.received ?? 0, 0)
        let outcome = transport.receiveData { chunk in
            for byte in chunk {
                if received >= bytes || byte != FileTransfer.byte(at: received) { wrong += 1 }
                received += 1
            }
            return true
        }
        progress?.received = received
        garbage += wrong
        switch outcome {
        case .endOfStream: endOfFile(&transport, &step)
        case .failed(let ending): end(ending, &step)
        case .bytes, .wouldBlock: break
        }
    }

    private mutating func endOfFile(_ transport: inout some TransferTransport, _ step: inout Step) {
        let received = progress?.received ?? 0
        guard received == transfer.bytes else {
            let reason = "the data connection was closed after \(received) of \(transfer.bytes) bytes"
            return end(FlowEnding(outcome: .reset, reason: reason), &step)
        }
        progress?.fileIsWhole = true
        transport.closeData()
        completeIfDone(&step)
    }

    private mutating func completeIfDone(_ step: inout Step) {
        guard let progress, progress.fileIsWhole, progress.serverIsDone else { return }
        meter.answered(progress.probe, at: step.now)
        beIdle(from: progress.began + program.every, &step)
    }

    // MARK: Ending

    private mutating func finish(_ now: Instant) {
        guard !finishesWhenIdle else { return }
        finishesWhenIdle = true
        if case .idle = phase { phase = .idle(until: now) }
    }

    private mutating func timePassed(_ transport: inout some TransferTransport, _ step: inout Step) {
        switch phase {
        // A flow that is to finish before its first transfer makes one, so that it has an outcome.
        case .idle(let instant) where instant <= step.now:
            if finishesWhenIdle, meter.newest != nil { end(.survived, &step) } else { begin(&transport, &step) }
        case .agreed(let target, let instant) where instant <= step.now: openData(target, &transport, &step)
        default: break
        }
        guard !hasEnded, nextLook <= step.now else { return }
        // What is here already counts, although a busy machine has not let this process read it.
        if phase != .connecting { readControl(&transport, &step) }
        if phase == .transferring { readData(&transport, &step) }
        let isOver =
            phase == .connecting || phase == .loggingIn
            ? step.now >= started + program.timeout : meter.hasTimedOut(at: step.now)
        if isOver { return end(.timedOut(program, waitingFor: phase.awaited), &step) }
        nextLook = meter.timesOutAt ?? step.now + program.timeout
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        FlowFigures(started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome), garbage: garbage)
    }
}

internal import EventLoop
internal import Glibc

extension HTTPClientConnection: ReadinessHandler {
    /// How long a client may take to close after the last answer, which a reset would take from it: RFC 9112, 9.6.
    private static let linger: Int64 = 1_000_000_000
    /// Reads in a row, so that others have their turn.
    private static let mostReads = 2

    func ready(_ readiness: EventLoop.Readiness) {
        guard socket.isOpen else { return }
        means.checkNothingIsLeft()
        socket.note(readiness)
        if let code = socket.failure { return lost(code) }
        // Reset: no answer can reach it any more, and what it has sent before waits for nobody.
        if socket.isBroken, phase == .connecting || phase == .exchanging { return lost(ECONNRESET) }
        if readiness.contains(.writable), socket.hasWaiting { sendWaiting() }
        read()
    }

    func loopEnds() {
        if phase == .connecting || phase == .exchanging { return gone() }
        end()
    }

    // MARK: Reading

    private var wantsInput: Bool {
        switch phase {
        case .idle, .head: !socket.hasWaiting
        case .closing: true
        // A client that waits for its answer is not read: an event tells of its end in any case.
        case .connecting: false
        // Where a part of a chunk's framing is here already, the rest of it is what is wanted.
        case .exchanging: body?.isComplete == false && server?.isWritable == true
        }
    }

    func read() {
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        var reads = 0
        while socket.isOpen, socket.isReadable, wantsInput {
            if reads == Self.mostReads { return means.loop.serveAgain(socket.descriptor) }
            reads += 1
            let memory = means.clientInput
            switch socket.read(into: memory) {
            case .bytes(let count):
                arrived(UnsafeRawBufferPointer(rebasing: memory[0..<count]))
                input.keep()
            case .nothing: break
            case .end: inputEnded()
            case .failed(let code): lost(code)
            }
        }
    }

    private func arrived(_ bytes: UnsafeRawBufferPointer) {
        guard phase != .closing else { return }
        guard let tls else {
            input.add(bytes)
            return proceed()
        }
        tls.receive(bytes)
        sendCiphertext()
        if tls.handshakeHasEnded() { service.counters.tlsHandshakes.add() }
        while phase != .closing {
            let hasMore = tls.takePlaintext { piece in
                input.add(piece)
                proceed()
                input.keep()
            }
            if !hasMore { break }
        }
        if phase != .closing, let error = tls.error { return tlsBroke(error) }
        if tls.peerHasSentCloseNotify, !inputHasEnded {
            inputHasEnded = true
            proceed()
        }
    }

    private func inputEnded() {
        let wasEnded = inputHasEnded
        inputHasEnded = true
        if phase == .closing {
            if !socket.hasWaiting { end() }
        } else if let tls, !wasEnded {
            tlsBroke(tls.missingCloseNotify)
        } else {
            proceed()
        }
    }

    /// Nothing can be sent to the client or read from it any more.
    private func lost(_ code: Int32) {
        if let tls, phase != .closing, phase != .idle || tls.isInHandshake { tlsFailed("reset") }
        if phase == .connecting || phase == .exchanging { gone() } else { end(withReset: true) }
    }

    // MARK: Writing

    /// Whether more of the answer can be taken now.
    var canTakeMore: Bool { !socket.hasWaiting }

    /// Sends what was gathered.
    func send() {
        let gathered = means.toClient
        guard !gathered.isEmpty else { return }
        if let tls {
            tls.send(gathered.bytes)
            sendCiphertext()
        } else {
            socket.send(gathered.bytes)
            noteFailure()
        }
        gathered.clear()
    }

    /// Sends a large piece behind what was gathered, and what ends it.
    func send(_ piece: UnsafeRawBufferPointer, _ end: UnsafeRawBufferPointer) {
        let gathered = means.toClient
        if let tls {
            for part in [gathered.bytes, piece, end] where part.count > 0 { tls.send(part) }
            sendCiphertext()
        } else {
            socket.send(gathered.bytes, piece, end)
            noteFailure()
        }
        gathered.clear()
    }

    private func sendCiphertext() {
        while tls?.takeCiphertext({ socket.send($0) }) == true {}
        noteFailure()
    }

    /// What broke the connection is told in the next turn: who sends is in the middle of something.
    private func noteFailure() {
        if socket.failure != nil { means.loop.serveAgain(socket.descriptor) }
    }

    private func sendWaiting() {
        let hasTakenSome = socket.sendWaiting()
        // Nothing waits any more, and nothing was taken either.
        guard socket.failure == nil else { return noteFailure() }
        guard socket.hasWaiting else { return takesMore() }
        guard hasTakenSome else { return }
        switch phase {
        case .exchanging: awaitNext()
        case .idle, .closing: setDeadline(in: timeouts.clientBody)
        case .head, .connecting: break
        }
    }

    /// All that waited is with the kernel.
    private func takesMore() {
        switch phase {
        case .idle:
            setDeadline(in: timeouts.keepAlive)
            proceed()
        case .head: proceed()
        case .connecting: break
        case .exchanging:
            awaitNext()
            server?.resumeReading()
        case .closing: finishOutput()
        }
    }

    // MARK: The end

    /// Closes behind the last answer, and reads what still comes until the client closes too.
    func close() {
        guard phase != .closing, socket.isOpen else { return }
        phase = .closing
        input.clear()
        if let tls, !tls.isInHandshake {
            tls.finish()
            sendCiphertext()
        }
        setDeadline(in: timeouts.clientBody)
        if !socket.hasWaiting { finishOutput() }
    }

    private func finishOutput() {
        if inputHasEnded { return end() }
        socket.finish()
        setDeadline(in: Self.linger)
        read()
    }

    /// Closes at once, with RST where asked.
    func end(withReset: Bool = false) {
        guard socket.isOpen else { return }
        phase = .closing
        dropServer()
        giveBackHead()
        deadline.end()
        tls?.end()
        means.loop.forget(socket.descriptor)
        socket.close(withReset: withReset)
        service.clientHasLeft()
    }

    // MARK: TLS

    private func tlsBroke(_ error: any Error) {
        // Many clients leave without the farewell of TLS; between two requests that cuts off nothing.
        if let tls, !(phase == .idle && !tls.isInHandshake && TLSFailure.isMissingCloseNotify(error)) {
            tlsFailed(TLSFailure.reason(for: error, isHandshake: tls.isInHandshake))
        }
        if phase == .connecting || phase == .exchanging { loseRequest(nil) }
        guard socket.isOpen else { return }
        // The library has sent its alert, which a reset could take from the client.
        phase = .closing
        input.clear()
        setDeadline(in: Self.linger)
        if !socket.hasWaiting { finishOutput() }
    }

    func tlsFailed(_ reason: String) {
        tls?.handshakeFailed()
        service.tlsFailed(client: address, port: port, reason: reason)
    }
}

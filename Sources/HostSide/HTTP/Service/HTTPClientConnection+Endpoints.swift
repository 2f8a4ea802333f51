internal import EventLoop
internal import HTTPExchange
internal import LabTime

/// What the exchange orders. Nothing here calls it back: what comes of an order is found in a later event.
extension HTTPClientConnection: ExchangeEndpoints {
    // MARK: The client

    func sendToClient(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        if let tls {
            for part in [a, b, c] where part.count > 0 { tls.send(part) }
            return sendCiphertext()
        }
        if b.count == 0 { socket.send(a) } else { socket.send(a, b, c) }
        checkFailure()
    }

    func sendCiphertext() {
        while tls?.takeCiphertext({ socket.send($0) }) == true {}
        checkFailure()
    }

    /// A later turn handles what broke the connection: who sends is in the middle of something.
    func checkFailure() {
        if socket.failure != nil { loop.serveAgain(socket.descriptor) }
    }

    var clientIsBlocked: Bool { socket.hasWaiting }

    func clientHasTakenSome() -> Bool { socket.peerHasTakenSome() }

    func endClientSession() {
        guard let tls, !tls.isInHandshake else { return }
        tls.finish()
        sendCiphertext()
    }

    func finishClient() { socket.finish() }

    func closeClient(withReset: Bool) {
        guard socket.isOpen else { return }
        deadline.end()
        tls?.end()
        loop.forget(socket.descriptor)
        socket.close(withReset: withReset)
        service.clientHasLeft()
    }

    // MARK: The member

    func chooseMember() -> Int? { service.picker.choose(client: address, port: port) }

    func nextMember(after member: Int, first: Int) -> Int? { service.picker.next(after: member, first: first) }

    func connect(to member: Int, reuses: Bool, head: UnsafeRawBufferPointer) -> ConnectOutcome {
        do throws(ExchangeFailure) {
            let connection = try service.connections.connection(to: member, reuses: reuses, head: head)
            server = connection
            return connection.begin(self)
        } catch {
            return .failed(error)
        }
    }

    func sendHeadToMember(_ head: UnsafeRawBufferPointer) { server?.send(head) }

    func sendBodyToMember(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        guard let server else { return }
        server.sendsPieces()
        if b.count == 0 { server.send(a) } else { server.send(a, b, c) }
    }

    var memberIsBlocked: Bool { server?.isWritable != true }

    func memberHasTakenSome() -> Bool { server?.memberHasTakenSome() == true }

    func releaseMember(isClean: Bool, staysOpen: Bool) {
        server?.release(isClean: isClean, staysOpen: staysOpen)
        server = nil
    }

    func abandonMember() {
        server?.abandon()
        server = nil
    }

    // MARK: Reports

    func requestBegan() { service.counters.requests.add() }

    func requestEnded(_ request: RequestInProgress, _ outcome: RequestOutcome) {
        var entry: (reason: String, detail: String?)?
        switch outcome {
        case .answered: service.counters.answered[request.status / 100].add()
        case .failed(let reason, let detail, let counter):
            service.counters.countFailure(counter)
            entry = (reason, detail)
        }
        service.log(
            request, client: address, port: port, reason: entry?.reason, detail: entry?.detail, tls: tls?.version)
    }
}

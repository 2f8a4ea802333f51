internal import EventLoop
internal import HTTPExchange
internal import LabTime

extension HTTPClientConnection: ReadinessHandler {
    func ready(_ readiness: EventLoop.Readiness) {
        guard socket.isOpen else { return }
        service.thread.memory.checkNothingIsLeft()
        socket.note(readiness)
        if socket.failure != nil { return lost() }
        // Reset: no answer can reach it any more, and what it has sent before waits for nobody.
        if socket.isBroken, exchange.isAsking { return lost() }
        if readiness.contains(.writable), socket.hasWaiting { sendWaiting() }
        read()
    }

    private func sendWaiting() {
        let hasTakenSome = socket.sendWaiting()
        // Nothing waits any more, and nothing was taken either.
        guard socket.failure == nil else { return checkFailure() }
        if !socket.hasWaiting { step(.clientDrained) } else if hasTakenSome { step(.clientTookSome) }
    }

    func loopEnds() { step(.stop) }
}

extension HTTPClientConnection: DeadlineOwner {
    func deadlineHasPassed() {
        guard tls?.isInHandshake == true, exchange.isIdle else {
            step(.time)
            return read()
        }
        if socket.hasWaiting, socket.peerHasTakenSome() {
            return deadline.set(.monotonic() + service.exchanges.timeouts.clientBody)
        }
        tlsFailed("handshake-timeout")
        step(.clientLost)
    }
}

/// What the member's connection reports.
extension HTTPClientConnection {
    /// The member has accepted, or takes more.
    func serverReports(_ input: Exchange.Input) { step(input) }

    /// The member's connection is closed: none came about.
    func failedToConnect(_ failure: ExchangeFailure) {
        server = nil
        step(.memberConnectFailed(failure))
        read()
    }
}

import LabTime

/// The end of a client's connection.
extension Exchange {
    /// How long a client may take to close after the last answer, which a reset would take from it: RFC 9112, 9.6.
    private static let linger: Int64 = 1_000_000_000

    mutating func stepClosing(
        _ input: Input, _ closing: Closing, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        switch (input, closing) {
        case (.clientEnd, .lingering), (.time, .lingering), (.stop, _): end(over: endpoints)
        case (.clientEnd, .draining): clientHasEnded = true
        // Part of an answer would be taken for all of it where the connection's end is the answer's.
        case (.time, .draining), (.clientLost, _): end(withReset: true, over: endpoints)
        case (.clientDrained, .draining): finishOutput(at: now, over: endpoints)
        case (.clientTookSome, .draining): setDeadline(in: service.timeouts.clientBody, at: now)
        case (.clientDrained, .lingering), (.clientTookSome, .lingering): break
        case (.clientBytes, _), (.clientSessionFailed, _), (.next, _): break
        case (.memberConnected, _), (.memberConnectFailed, _), (.memberBytes, _), (.memberEnd, _), (.memberLost, _),
            (.memberTookSome, _):
            break
        }
        return .waits
    }

    /// Closes behind the last answer, and reads what still comes until the client closes too.
    mutating func close(at now: Instant, over endpoints: some ExchangeEndpoints) {
        clientInput.clear()
        endpoints.endClientSession()
        setDeadline(in: service.timeouts.clientBody, at: now)
        enter(.closing(.draining))
        if !endpoints.clientIsBlocked { finishOutput(at: now, over: endpoints) }
    }

    /// The session below has sent its alert, which a reset could take from the client.
    mutating func sessionFailed(hasEnded: Bool, at now: Instant, over endpoints: some ExchangeEndpoints) {
        if hasEnded { clientHasEnded = true }
        if isAsking { loseRequest(nil, over: endpoints) }
        clientInput.clear()
        setDeadline(in: Self.linger, at: now)
        enter(.closing(.draining))
        if !endpoints.clientIsBlocked { finishOutput(at: now, over: endpoints) }
    }

    private mutating func finishOutput(at now: Instant, over endpoints: some ExchangeEndpoints) {
        guard !clientHasEnded else { return end(over: endpoints) }
        endpoints.finishClient()
        enter(.closing(.lingering))
        setDeadline(in: Self.linger, at: now)
    }

    /// Closes at once, with RST where asked.
    mutating func end(withReset: Bool = false, over endpoints: some ExchangeEndpoints) {
        enter(.closed)
        deadline = nil
        endpoints.abandonMember()
        giveBackHead()
        clientInput.clear()
        memberInput.clear()
        endpoints.closeClient(withReset: withReset)
    }
}

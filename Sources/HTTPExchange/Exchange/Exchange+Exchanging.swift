import Configuration
import LabTime
import LabEvents

/// While a member has the request.
extension Exchange {
    /// Pieces from here on are sent from where they are, without a copy.
    static let largePiece = 8192

    mutating func stepExchanging(
        _ input: Input, _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        switch input {
        case .clientBytes(let bytes):
            clientInput.add(bytes)
            return outgoing.body.isComplete ? .waits : passBody(outgoing, answer, at: now, over: endpoints)
        case .clientEnd:
            clientHasEnded = true
            return outgoing.body.isComplete ? .waits : passBody(outgoing, answer, at: now, over: endpoints)
        case .clientDrained, .clientTookSome, .memberTookSome:
            awaitNext(outgoing, answer, at: now, over: endpoints)
        case .clientLost, .stop: clientLeft(over: endpoints)
        case .clientSessionFailed(let hasEnded): sessionFailed(hasEnded: hasEnded, at: now, over: endpoints)
        case .memberBytes(let bytes):
            memberInput.add(bytes)
            return passAnswer(outgoing, answer, at: now, over: endpoints)
        case .memberEnd: return memberEnded(outgoing, answer, at: now, over: endpoints)
        case .memberLost(let failure): return memberFailed(failure, outgoing, answer, at: now, over: endpoints)
        case .time: return timeIsOver(outgoing, answer, at: now, over: endpoints)
        case .next, .memberConnected, .memberConnectFailed: break
        }
        return .waits
    }

    // MARK: The request's body

    /// Passes on what has come of the body.
    /// - Precondition: it is not complete
    mutating func passBody(
        _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        var outgoing = outgoing
        let gathered = service.memory.toMember
        var rest = clientInput.bytes
        let end = outgoing.isChunked ? Self.lineEnd : Self.nothing
        do throws(MessageFault) {
            defer { clientInput.consume(clientInput.count - rest.count) }
            while let piece = try outgoing.body.next(&rest) {
                if outgoing.body.count > service.limits.bodySize { throw .bodyTooLarge }
                if outgoing.isChunked { gathered.append(chunkSize: piece.count) }
                if piece.count < Self.largePiece {
                    gathered.append(piece)
                    gathered.append(end)
                } else {
                    endpoints.sendBodyToMember(gathered.bytes, piece, end)
                    gathered.clear()
                }
            }
        } catch {
            gathered.clear()
            return refuse(error, at: now, over: endpoints)
        }
        if outgoing.body.isComplete {
            if outgoing.isChunked { gathered.append("0\r\n\r\n") }
        } else if clientHasEnded {
            gathered.clear()
            return refuse(.incomplete, at: now, over: endpoints)
        }
        if !gathered.isEmpty { endpoints.sendBodyToMember(gathered.bytes, Self.nothing, Self.nothing) }
        gathered.clear()
        enter(.exchanging(outgoing, answer))
        awaitNext(outgoing, answer, at: now, over: endpoints)
        return .waits
    }

    private static let lineEndText: StaticString = "\r\n"
    /// What ends a chunk.
    static var lineEnd: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: lineEndText.utf8Start, count: 2) }
    static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    // MARK: The member's end

    private mutating func memberEnded(
        _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        if case .body(let body) = answer, body.decoder.endsWithConnection {
            return complete(outgoing, body, at: now, over: endpoints)
        }
        let place = answer.hasBytes ? "within its answer" : "before its answer"
        return memberFailed(
            ExchangeFailure(.memberClosedEarly, place), outgoing, answer, at: now, over: endpoints)
    }

    private mutating func memberFailed(
        _ failure: ExchangeFailure, _ outgoing: Outgoing, _ answer: Answer, at now: Instant,
        over endpoints: some ExchangeEndpoints
    ) -> Progress {
        // A member may close an idle connection in the moment in which it gets a request: RFC 9112, 9.3.1.
        let isRace = failure.reason == .memberClosedEarly || failure.reason == .memberReset
        if !answer.hasBytes, outgoing.isReused, isRace, !outgoing.hasTriedAgain, outgoing.isIdempotent,
            !outgoing.hasBody
        {
            var outgoing = outgoing
            outgoing.hasTriedAgain = true
            return connect(outgoing, reuses: false, at: now, over: endpoints)
        }
        return fail(failure, at: now, over: endpoints)
    }

    // MARK: Time

    /// Whether the next thing to come is more of the request, from the client.
    private func awaitsBody(
        _ outgoing: Outgoing, _ answer: Answer, over endpoints: some ExchangeEndpoints
    ) -> Bool { !outgoing.body.isComplete && !endpoints.memberIsBlocked && !answer.hasBegun }

    /// Sets the deadline of what is awaited now: the client's body, its taking of the answer, or the member's answer.
    mutating func awaitNext(
        _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) {
        let awaitsClient = endpoints.clientIsBlocked || awaitsBody(outgoing, answer, over: endpoints)
        setDeadline(in: awaitsClient ? service.timeouts.clientBody : service.timeouts.serverResponse, at: now)
    }

    private mutating func timeIsOver(
        _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        if endpoints.memberHasTakenSome() {
            awaitNext(outgoing, answer, at: now, over: endpoints)
            return .waits
        }
        if endpoints.clientIsBlocked {
            clientLeft("it took nothing of its answer in time", over: endpoints)
            return .waits
        }
        if awaitsBody(outgoing, answer, over: endpoints) {
            endpoints.abandonMember()
            return self.answer(
                408, .clientBodyTimeout, "its body did not come on in time", closes: true, at: now, over: endpoints)
        }
        return fail(
            ExchangeFailure(.responseTimeout, "no answer within \(service.responseTimeout)"), at: now, over: endpoints)
    }
}

import Configuration
import LabTime
import LabEvents

/// Passing on the member's answer.
extension Exchange {
    /// 1xx answers that one request may get.
    private static let mostInterim = 16

    /// Passes on what has come of the answer.
    mutating func passAnswer(
        _ outgoing: Outgoing, _ answer: Answer, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        var (outgoing, answer) = (outgoing, answer)
        do throws(MessageFault) {
            // Interim answers, then the answer.
            while case .awaited(var head) = answer {
                head.hasBytes = true
                let next = try readAnswerHead(&head, &outgoing)
                answer = next ?? .awaited(head)
                if next == nil { break }
            }
            if case .body(var body) = answer {
                try passAnswerBody(&body, over: endpoints)
                answer = .body(body)
                if body.decoder.isComplete { return complete(outgoing, body, at: now, over: endpoints) }
            }
        } catch {
            enter(.exchanging(outgoing, answer))
            return fail(ExchangeFailure(.memberGarbage, error.rawValue), at: now, over: endpoints)
        }
        enter(.exchanging(outgoing, answer))
        send(over: endpoints)
        awaitNext(outgoing, answer, at: now, over: endpoints)
        return .waits
    }

    /// - Returns: what follows the head; nil where it is not complete
    private mutating func readAnswerHead(
        _ reading: inout AnswerHead, _ outgoing: inout Outgoing
    ) throws(MessageFault) -> Answer? {
        let limits = service.limits
        let bytes = memberInput.bytes
        // What cannot become a status line is not waited for.
        guard "HTTP/".utf8.starts(with: bytes.prefix(5)) || bytes.isEmpty else { throw .malformedStatusLine }
        guard let length = try reading.scanner.end(in: bytes) else {
            if bytes.count > limits.headerSize * 4 { throw .headTooLarge }
            return nil
        }
        guard length <= limits.headerSize * 4 else { throw .headTooLarge }
        let whole = bytes.part(0..<length)
        let head = try ResponseHead(whole, mostFields: limits.headerCount * 4)
        // Nobody asked for another protocol.
        guard head.status != 101 else { throw .malformedStatusLine }
        guard head.status >= 200 || reading.interim < Self.mostInterim else { throw .malformedStatusLine }
        defer { memberInput.consume(length) }
        guard head.status >= 200 else {
            if outgoing.isModern {
                service.responseForwarding.write(
                    head, whole, framing: .none, connection: nil, into: service.memory.toClient)
            }
            return .awaited(AnswerHead(interim: reading.interim + 1, hasBytes: true))
        }
        return .body(begin(head, whole, &outgoing))
    }

    /// Writes the answer's head as the client gets it.
    private mutating func begin(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ outgoing: inout Outgoing
    ) -> AnswerBody {
        request.status = head.status
        // An answer that comes before the request's end leaves a rest that could be taken for a request.
        if !outgoing.body.isComplete { outgoing.keepsClient = false }
        let framing = head.framing(toHEAD: outgoing.isHEAD)
        let toClient: AnswerFraming =
            switch framing {
            case .none: .none
            case .length: .length
            case .chunked, .untilClose: outgoing.isModern ? .chunked : .untilClose
            }
        if toClient == .untilClose { outgoing.keepsClient = false }
        let connection: StaticString? =
            outgoing.keepsClient ? (outgoing.isModern ? nil : "keep-alive") : (outgoing.isModern ? "close" : nil)
        service.responseForwarding.write(
            head, bytes, framing: toClient, connection: connection, into: service.memory.toClient)
        return AnswerBody(
            decoder: BodyDecoder(framing), framing: toClient,
            keepsMember: head.fields.staysOpen && framing != .untilClose)
    }

    private mutating func passAnswerBody(
        _ body: inout AnswerBody, over endpoints: some ExchangeEndpoints
    ) throws(MessageFault) {
        let gathered = service.memory.toClient
        let isChunk = body.framing == .chunked
        let end = isChunk ? Self.lineEnd : Self.nothing
        var rest = memberInput.bytes
        defer { memberInput.consume(memberInput.count - rest.count) }
        while let piece = try body.decoder.next(&rest) {
            request.responseSize += piece.count
            if isChunk { gathered.append(chunkSize: piece.count) }
            if piece.count < Self.largePiece {
                gathered.append(piece)
                gathered.append(end)
            } else {
                endpoints.sendToClient(gathered.bytes, piece, end)
                gathered.clear()
            }
        }
    }

    /// Sends what was gathered for the client.
    func send(over endpoints: some ExchangeEndpoints) {
        let gathered = service.memory.toClient
        guard !gathered.isEmpty else { return }
        endpoints.sendToClient(gathered.bytes, Self.nothing, Self.nothing)
        gathered.clear()
    }

    /// The answer is complete.
    mutating func complete(
        _ outgoing: Outgoing, _ body: AnswerBody, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        if body.framing == .chunked { service.memory.toClient.append("0\r\n\r\n") }
        send(over: endpoints)
        let isClean = memberInput.count == 0 && outgoing.body.isComplete
        endpoints.releaseMember(isClean: isClean, staysOpen: body.keepsMember)
        endpoints.requestEnded(request, .answered)
        return finish(closes: !outgoing.keepsClient, at: now, over: endpoints)
    }

    /// Between two requests, or behind the last one.
    mutating func finish(closes: Bool, at now: Instant, over endpoints: some ExchangeEndpoints) -> Progress {
        giveBackHead()
        memberInput.clear()
        guard !closes else {
            close(at: now, over: endpoints)
            return .waits
        }
        enter(.idle)
        request.texts = RequestTexts()
        let timeout = endpoints.clientIsBlocked ? service.timeouts.clientBody : service.timeouts.keepAlive
        setDeadline(in: timeout, at: now)
        return clientInput.count > 0 || clientHasEnded ? .goesOn : .waits
    }

    mutating func giveBackHead() {
        guard let head = request.head else { return }
        request.head = nil
        service.memory.buffers.giveBack(head)
    }
}

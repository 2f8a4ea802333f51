import LabTime
import Configuration
import LabEvents

/// The phases before a member is chosen.
extension Exchange {
    /// Empty lines before a request that are passed over: RFC 9112, 2.2.
    private static let mostEmptyLines = 4

    mutating func stepIdle(_ input: Input, at now: Instant, over endpoints: some ExchangeEndpoints) -> Progress {
        switch input {
        case .clientBytes(let bytes):
            clientInput.add(bytes)
            return readHead(at: now, over: endpoints)
        case .clientEnd:
            clientHasEnded = true
            return readHead(at: now, over: endpoints)
        case .next: return readHead(at: now, over: endpoints)
        case .clientDrained:
            setDeadline(in: service.timeouts.keepAlive, at: now)
            return readHead(at: now, over: endpoints)
        case .clientTookSome: setDeadline(in: service.timeouts.clientBody, at: now)
        case .clientLost: end(withReset: true, over: endpoints)
        case .clientSessionFailed(let hasEnded): sessionFailed(hasEnded: hasEnded, at: now, over: endpoints)
        case .time:
            // The rest of an answer that the client does not take.
            if endpoints.clientIsBlocked {
                end(withReset: true, over: endpoints)
            } else {
                close(at: now, over: endpoints)
            }
        case .stop: end(over: endpoints)
        case .memberConnected, .memberConnectFailed, .memberBytes, .memberEnd, .memberLost, .memberTookSome: break
        }
        return .waits
    }

    mutating func stepHead(_ input: Input, at now: Instant, over endpoints: some ExchangeEndpoints) -> Progress {
        switch input {
        case .clientBytes(let bytes):
            clientInput.add(bytes)
            return readHead(at: now, over: endpoints)
        case .clientEnd:
            clientHasEnded = true
            return readHead(at: now, over: endpoints)
        case .next, .clientDrained: return readHead(at: now, over: endpoints)
        case .time:
            return answer(
                408, .clientHeaderTimeout, "its head was not complete in time", closes: true, at: now, over: endpoints)
        case .clientLost: end(withReset: true, over: endpoints)
        case .clientSessionFailed(let hasEnded): sessionFailed(hasEnded: hasEnded, at: now, over: endpoints)
        case .stop: end(over: endpoints)
        case .clientTookSome: break
        case .memberConnected, .memberConnectFailed, .memberBytes, .memberEnd, .memberLost, .memberTookSome: break
        }
        return .waits
    }

    /// Takes the next head, or an empty line before it, out of what the client has sent.
    private mutating func readHead(at now: Instant, over endpoints: some ExchangeEndpoints) -> Progress {
        // A client that does not take its answers gets no more of them.
        guard !endpoints.clientIsBlocked else { return .waits }
        var head = HeadReading()
        if case .head(let begun) = phase {
            head = begun
        } else if clientInput.count > 0 {
            request = RequestInProgress(began: now)
            setDeadline(in: service.timeouts.clientHeader, at: now)
        } else {
            if clientHasEnded { close(at: now, over: endpoints) }
            return .waits
        }
        var outgoing: Outgoing?
        let length: Int?
        do throws(MessageFault) {
            length = try takeHead(&head.scanner, &outgoing)
        } catch {
            return refuse(error, at: now, over: endpoints)
        }
        enter(.head(head))
        guard let length else { return clientHasEnded ? refuse(.incomplete, at: now, over: endpoints) : .waits }
        clientInput.consume(length)
        if let outgoing { return begin(outgoing, at: now, over: endpoints) }
        head = HeadReading(emptyLines: head.emptyLines + 1)
        enter(.head(head))
        guard head.emptyLines <= Self.mostEmptyLines else {
            return refuse(.malformedRequestLine, at: now, over: endpoints)
        }
        return clientInput.count > 0 ? .goesOn : .waits
    }

    /// - Parameter outgoing: becomes the request whose head is complete
    /// - Returns: the length of a whole head, or of an empty line; nil while there is neither
    private mutating func takeHead(
        _ scanner: inout HeadScanner, _ outgoing: inout Outgoing?
    ) throws(MessageFault) -> Int? {
        let (bytes, limits) = (clientInput.bytes, service.limits)
        // What cannot become a request line, TLS for instance, is not waited for.
        if let first = bytes.first, !HTTPCharacters.isToken(first), first != HTTPCharacters.cr,
            first != HTTPCharacters.lf
        {
            throw .malformedRequestLine
        }
        guard let length = try scanner.end(in: bytes) else {
            if bytes.count > limits.headerSize { throw .headTooLarge }
            return nil
        }
        guard length <= limits.headerSize else { throw .headTooLarge }
        if length > 2 { outgoing = try accept(bytes.part(0..<length), limits) }
        return length
    }

    /// Takes over what a head states, and writes it as the member gets it.
    private mutating func accept(
        _ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits
    ) throws(MessageFault) -> Outgoing {
        let head = try RequestHead(bytes, mostFields: limits.headerCount)
        request.texts.take(head, bytes, knowing: service.lastTexts)
        service.lastTexts = request.texts
        let length = head.fields.contentLength ?? 0
        guard length <= limits.bodySize else { throw .bodyTooLarge }
        let buffer = service.memory.buffers.take()
        request.head = buffer
        service.requestForwarding.write(head, bytes, client: client, into: buffer)
        return Outgoing(
            body: BodyDecoder(head.fields.isChunked ? .chunked : .length(length)),
            hasBody: head.fields.isChunked || length > 0, isChunked: head.fields.isChunked,
            isModern: head.fields.minorVersion == 1, isHEAD: request.texts.isHEAD,
            isIdempotent: request.texts.isIdempotent, keepsClient: head.fields.staysOpen)
    }

    private mutating func begin(
        _ outgoing: Outgoing, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        endpoints.requestBegan()
        if outgoing.hasBody, let fault = faultOfBodySoFar(outgoing.body) {
            return refuse(fault, at: now, over: endpoints)
        }
        request.firstMember = endpoints.chooseMember()
        request.member = request.firstMember
        return connect(outgoing, reuses: true, at: now, over: endpoints)
    }

    /// What is wrong with as much of the body as is here already: no member is asked for such a request.
    private func faultOfBodySoFar(_ body: BodyDecoder) -> MessageFault? {
        var (ahead, rest) = (body, clientInput.bytes)
        do throws(MessageFault) {
            while try ahead.next(&rest) != nil {
                if ahead.count > service.limits.bodySize { throw .bodyTooLarge }
            }
            return nil
        } catch {
            return error
        }
    }
}

internal import Appliances
internal import Configuration
internal import LabEvents

extension HTTPClientConnection {
    // MARK: What the member says

    func received(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, framing: BodyDecoder.Framing) {
        guard head.status >= 200 else {
            guard request.isModern else { return }
            return service.responseForwarding.write(
                head, bytes, framing: .none, connection: nil, into: means.toClient)
        }
        answerHasBegun = true
        request.status = head.status
        // An answer that comes before the request's end leaves a rest that could be taken for a request.
        if body?.isComplete == false { request.keepsClient = false }
        answerFraming =
            switch framing {
            case .none: .none
            case .length: .length
            case .chunked, .untilClose: request.isModern ? .chunked : .untilClose
            }
        if answerFraming == .untilClose { request.keepsClient = false }
        let connection: StaticString? =
            request.keepsClient ? (request.isModern ? nil : "keep-alive") : (request.isModern ? "close" : nil)
        service.responseForwarding.write(
            head, bytes, framing: answerFraming, connection: connection, into: means.toClient)
    }

    func received(_ piece: UnsafeRawBufferPointer) {
        request.responseSize += piece.count
        let gathered = means.toClient
        let isChunk = answerFraming == .chunked
        if isChunk { gathered.append(chunkSize: piece.count) }
        let end = isChunk ? Self.lineEnd : UnsafeRawBufferPointer(start: nil, count: 0)
        guard piece.count < Self.largePiece else { return send(piece, end) }
        gathered.append(piece)
        gathered.append(end)
    }

    /// The answer is complete, and the connection is no longer this one's.
    func receivedEnd() {
        if answerFraming == .chunked { means.toClient.append("0\r\n\r\n") }
        send()
        server = nil
        service.counters.answered[request.status / 100].add()
        log(nil, nil)
        finish(closes: !request.keepsClient)
    }

    func failed(_ failure: ExchangeFailure, beforeAnyByte: Bool) {
        let wasReused = (server?.requests ?? 1) > 1
        server = nil
        // A member may close an idle connection in the moment in which it gets a request: RFC 9112, 9.3.1.
        let isRace = failure.reason == .memberClosedEarly || failure.reason == .memberReset
        if beforeAnyByte, wasReused, isRace, !request.hasTriedAgain, request.isIdempotent, !request.hasBody {
            request.hasTriedAgain = true
            return connect(reuses: false)
        }
        fail(failure)
    }

    /// The member takes more of the request.
    /// The member goes on taking the request, and perhaps takes more of it.
    func serverHasTakenSome() {
        guard phase == .exchanging else { return }
        awaitNext()
        read()
    }

    /// All that came at once was handed over.
    func flush() {
        send()
        if phase == .exchanging { awaitNext() }
    }

    // MARK: What the balancer says itself

    /// The member did not answer, or not to the end.
    func fail(_ failure: ExchangeFailure) {
        dropServer()
        guard answerHasBegun else {
            let closes = !request.keepsClient || body?.isComplete == false
            return answer(failure.reason.status, failure.reason, failure.detail, closes: closes)
        }
        // Part of the answer is with the client: only a reset tells that the rest will not come.
        count(failure.reason)
        log(failure.reason.rawValue, failure.detail)
        reset()
    }

    /// The request is not one that could be passed on without doubt.
    func refuse(_ fault: MessageFault) {
        dropServer()
        request.keepsClient = false
        if answerHasBegun, phase == .exchanging {
            count(.badRequest)
            log(fault.rawValue, nil)
            return reset()
        }
        answer(fault.status, .badRequest, nil, fault: fault, closes: true)
    }

    func answer(
        _ status: Int, _ reason: HTTPErrorReason, _ detail: String?, fault: MessageFault? = nil, closes: Bool
    ) {
        request.status = status
        request.keepsClient = !closes
        let word = fault?.rawValue ?? reason.rawValue
        let gathered = means.toClient
        gathered.append(text: "HTTP/1.1 \(status) \(Self.phrase(status))\r\nContent-Length: 0\r\n")
        gathered.append(text: "X-Balancer-Reason: \(word)\r\n")
        if closes { gathered.append("Connection: close\r\n") }
        if !closes, !request.isModern { gathered.append("Connection: keep-alive\r\n") }
        gathered.append("\r\n")
        send()
        count(reason, fault)
        log(word, detail)
        finish(closes: closes)
    }

    /// The client has gone, or is taken for it.
    func gone(_ detail: String? = nil) {
        loseRequest(detail)
        reset()
    }

    /// Tells of a request whose client has gone.
    func loseRequest(_ detail: String?) {
        dropServer()
        if request.status == 0 { request.status = HTTPErrorReason.clientClosed.status }
        count(.clientClosed)
        log(HTTPErrorReason.clientClosed.rawValue, detail)
    }

    /// Ends the connection at once, also below TLS, which would take leave first.
    private func reset() {
        means.toClient.clear()
        end(withReset: true)
    }

    func dropServer() {
        server?.abandon()
        server = nil
    }

    func giveBackHead() {
        guard let head = request.head else { return }
        request.head = nil
        means.buffers.giveBack(head)
    }

    private func count(_ reason: HTTPErrorReason, _ fault: MessageFault? = nil) {
        service.counters.countFailure(fault?.rawValue ?? reason.rawValue)
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 417: "Expectation Failed"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }

    // MARK: Between two requests

    private func finish(closes: Bool) {
        answerHasBegun = false
        giveBackHead()
        guard !closes else { return close() }
        phase = .idle
        body = nil
        request.texts = RequestTexts()
        setDeadline(in: socket.hasWaiting ? timeouts.clientBody : timeouts.keepAlive)
        if input.count > 0 || inputHasEnded { proceed() }
        read()
    }

    private func log(_ reason: String?, _ detail: String?) {
        service.log(request, client: address, port: port, reason: reason, detail: detail, tls: tls?.version)
    }
}

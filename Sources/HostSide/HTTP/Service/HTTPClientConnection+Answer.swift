internal import Appliances
internal import NIOCore

extension HTTPClientConnection: ExchangePartner {
    // MARK: What the member says

    func received(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, framing: BodyDecoder.Framing) {
        guard head.status >= 200 else {
            guard request.isModern else { return }
            return output.append(service.buffers) {
                service.responseForwarding.write(head, bytes, framing: .none, connection: nil, into: &$0)
            }
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
        output.append(service.buffers) {
            service.responseForwarding.write(head, bytes, framing: answerFraming, connection: connection, into: &$0)
        }
    }

    func received(_ piece: ByteBuffer) {
        request.responseSize += piece.readableBytes
        if answerFraming == .chunked {
            output.appendChunk(piece, service.buffers) { write($0) }
        } else {
            output.append(piece, service.buffers) { write($0) }
        }
    }

    func receivedEnd() {
        if answerFraming == .chunked { output.append(service.buffers) { $0.writeStaticString("0\r\n\r\n") } }
        send()
        server = nil
        service.count { $0.answered[request.status / 100] += 1 }
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

    func serverCanTakeMore() {
        awaitNext()
        if body?.isComplete == false { readMore() }
    }

    func flush() {
        send()
        if phase == .exchanging { awaitNext() }
    }

    private func send() {
        if output.isEmpty {
            context?.flush()
        } else {
            // Sent or copied when this returns, unless the client is slow.
            var pending = output.take()
            context?.writeAndFlush(wrapOutboundOut(pending), promise: nil)
            service.buffers.giveBack(&pending)
        }
    }

    private func write(_ buffer: ByteBuffer) { context?.write(wrapOutboundOut(buffer), promise: nil) }

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
        phase = .closing
        reset()
    }

    /// The request is not one that could be passed on without doubt.
    func refuse(_ fault: MessageFault) {
        dropServer()
        request.keepsClient = false
        if answerHasBegun, phase == .exchanging {
            count(.badRequest)
            log(fault.rawValue, nil)
            phase = .closing
            reset()
            return
        }
        answer(fault.status, .badRequest, nil, fault: fault, closes: true)
    }

    func answer(
        _ status: Int, _ reason: HTTPErrorReason, _ detail: String?, fault: MessageFault? = nil, closes: Bool
    ) {
        request.status = status
        request.keepsClient = !closes
        let word = fault?.rawValue ?? reason.rawValue
        output.append(service.buffers) { buffer in
            buffer.writeString("HTTP/1.1 \(status) \(Self.phrase(status))\r\nContent-Length: 0\r\n")
            buffer.writeString("X-Balancer-Reason: \(word)\r\n")
            if closes { buffer.writeStaticString("Connection: close\r\n") }
            if !closes, !request.isModern { buffer.writeStaticString("Connection: keep-alive\r\n") }
            buffer.writeStaticString("\r\n")
        }
        send()
        count(reason, fault)
        log(word, detail)
        finish(closes: closes)
    }

    /// The client has gone, or is taken for it.
    func gone(_ detail: String? = nil) {
        dropServer()
        if request.status == 0 { request.status = HTTPErrorReason.clientClosed.status }
        count(.clientClosed)
        log(HTTPErrorReason.clientClosed.rawValue, detail)
        phase = .closing
        reset()
    }

    /// Ends the connection at once, also below TLS, which would take leave first.
    func reset() {
        guard let context else { return }
        if let tls { tls.reset(context.channel) } else { context.channel.closeWithReset() }
    }

    func dropServer() {
        server?.abandon()
        server = nil
    }

    private func count(_ reason: HTTPErrorReason, _ fault: MessageFault? = nil) {
        service.count { $0.reasons[fault?.rawValue ?? reason.rawValue, default: 0] += 1 }
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
        service.buffers.giveBack(&request.head)
        guard !closes else { return close() }
        phase = .idle
        body = nil
        deadline.set(.now() + TimeAmount(timeouts.keepAlive))
        if input.readableBytes > 0 || inputHasEnded { proceed() }
        if phase == .idle || phase == .head { readMore() }
    }

    /// Closes behind the last answer, and reads what still comes until the client closes too.
    func close() {
        guard phase != .closing, let context else { return }
        phase = .closing
        input = ByteBuffer()
        let channel = context.channel
        deadline.set(.now() + Self.farewell)
        guard inputHasEnded else {
            channel.close(mode: .output, promise: nil)
            return readMore()
        }
        // With the other direction ended already, SwiftNIO would close at once and drop what waits.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    private func log(_ reason: String?, _ detail: String?) {
        service.log(request, client: address, port: port, reason: reason, detail: detail, tls: tls?.version)
    }
}

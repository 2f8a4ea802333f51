import LabTime
import LabEvents

/// What the balancer answers itself, and what it cannot answer any more.
extension Exchange {
    /// What failed where, for the present phase: whether part of an answer is with the client.
    private var answerHasBegun: Bool { if case .exchanging(_, let answer) = phase { answer.hasBegun } else { false } }

    private var outgoing: Outgoing? {
        switch phase {
        case .connecting(let outgoing), .exchanging(let outgoing, _): outgoing
        case .idle, .head, .closing, .closed: nil
        }
    }

    /// The member did not answer, or not to the end.
    mutating func fail(
        _ failure: ExchangeFailure, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        endpoints.abandonMember()
        guard answerHasBegun else {
            let closes = outgoing.map { !$0.keepsClient || !$0.body.isComplete } ?? true
            return answer(
                failure.reason.status, failure.reason, failure.detail, closes: closes, at: now, over: endpoints)
        }
        // Part of the answer is with the client: only a reset shows that the rest will not come.
        let reason = failure.reason.rawValue
        endpoints.requestEnded(request, .failed(reason: reason, detail: failure.detail, counter: reason))
        reset(over: endpoints)
        return .waits
    }

    /// The request is not one that could be passed on without doubt.
    mutating func refuse(
        _ fault: MessageFault, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        endpoints.abandonMember()
        if answerHasBegun {
            let counter = HTTPErrorReason.badRequest.rawValue
            endpoints.requestEnded(request, .failed(reason: fault.rawValue, detail: nil, counter: counter))
            reset(over: endpoints)
            return .waits
        }
        return answer(fault.status, .badRequest, nil, fault: fault, closes: true, at: now, over: endpoints)
    }

    /// Answers in the member's place.
    mutating func answer(
        _ status: Int, _ reason: HTTPErrorReason, _ detail: String?, fault: MessageFault? = nil, closes: Bool,
        at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        request.status = status
        let name = fault?.rawValue ?? reason.rawValue
        let gathered = service.memory.toClient
        gathered.append(text: "HTTP/1.1 \(status) \(Self.phrase(status))\r\nContent-Length: 0\r\n")
        gathered.append(text: "X-Balancer-Reason: \(name)\r\n")
        if closes { gathered.append("Connection: close\r\n") }
        if !closes, outgoing?.isModern == false { gathered.append("Connection: keep-alive\r\n") }
        gathered.append("\r\n")
        send(over: endpoints)
        endpoints.requestEnded(request, .failed(reason: name, detail: detail, counter: name))
        return finish(closes: closes, at: now, over: endpoints)
    }

    /// The client has gone, or is taken for it.
    mutating func clientLeft(_ detail: String? = nil, over endpoints: some ExchangeEndpoints) {
        loseRequest(detail, over: endpoints)
        reset(over: endpoints)
    }

    /// Logs a request whose client has gone.
    mutating func loseRequest(_ detail: String?, over endpoints: some ExchangeEndpoints) {
        endpoints.abandonMember()
        memberInput.clear()
        if request.status == 0 { request.status = HTTPErrorReason.clientClosed.status }
        let reason = HTTPErrorReason.clientClosed.rawValue
        endpoints.requestEnded(request, .failed(reason: reason, detail: detail, counter: reason))
    }

    /// Ends the connection at once.
    private mutating func reset(over endpoints: some ExchangeEndpoints) {
        service.memory.toClient.clear()
        end(withReset: true, over: endpoints)
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
}

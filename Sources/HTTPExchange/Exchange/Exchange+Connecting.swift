import LabEvents
import LabTime

/// Finding a member that accepts.
extension Exchange {
    mutating func stepConnecting(
        _ input: Input, _ outgoing: Outgoing, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        switch input {
        case .memberConnected: return connected(outgoing, unsentFrom: 0, at: now, over: endpoints)
        case .memberConnectFailed(let failure): return connectFailed(failure, outgoing, at: now, over: endpoints)
        case .time:
            endpoints.abandonMember()
            return connectFailed(.connectTimeout, outgoing, at: now, over: endpoints)
        // A session brings all that was decrypted; it waits.
        case .clientBytes(let bytes): clientInput.add(bytes)
        case .clientEnd: clientHasEnded = true
        case .clientLost, .stop: clientLeft(over: endpoints)
        case .clientSessionFailed(let hasEnded): sessionFailed(hasEnded: hasEnded, at: now, over: endpoints)
        case .next, .clientDrained, .clientTookSome: break
        // Not before the connection is accepted.
        case .memberBytes, .memberEnd, .memberLost, .memberTookSome: break
        }
        return .waits
    }

    /// Asks the request's member, or if it cannot even be connected to, the next one.
    /// - Parameter reuses: whether an idle connection may be taken
    mutating func connect(
        _ outgoing: Outgoing, reuses: Bool, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        var outgoing = outgoing
        outgoing.isReused = false
        enter(.connecting(outgoing))
        deadline = nil
        memberInput.clear()
        guard var member = request.member, let head = request.head else {
            return fail(ExchangeFailure(.noMemberUp, "no member of the pool is up"), at: now, over: endpoints)
        }
        if request.served == nil { request.served = now }
        while true {
            switch endpoints.connect(to: member, reuses: reuses, head: head.bytes) {
            case .connected(let source, let isReused, let sent):
                request.source = source
                outgoing.isReused = isReused
                return connected(outgoing, unsentFrom: sent, at: now, over: endpoints)
            case .pending(let source):
                request.source = source
                setDeadline(in: service.timeouts.serverConnect, at: now)
                return .waits
            case .failed(let failure):
                request.source = failure.source
                guard failure.reason != .noSourcePort, let next = anotherMember(over: endpoints) else {
                    return fail(failure, at: now, over: endpoints)
                }
                member = next
            }
        }
    }

    /// Nothing was sent yet: another member may have it.
    private mutating func anotherMember(over endpoints: some ExchangeEndpoints) -> Int? {
        guard let member = request.member, let first = request.firstMember,
            let next = endpoints.nextMember(after: member, first: first)
        else { return nil }
        request.member = next
        return next
    }

    private mutating func connectFailed(
        _ failure: ExchangeFailure, _ outgoing: Outgoing, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        guard anotherMember(over: endpoints) != nil else { return fail(failure, at: now, over: endpoints) }
        return connect(outgoing, reuses: true, at: now, over: endpoints)
    }

    /// The member has accepted the connection: the head is sent, and what is here of the body.
    private mutating func connected(
        _ outgoing: Outgoing, unsentFrom sent: Int, at now: Instant, over endpoints: some ExchangeEndpoints
    ) -> Progress {
        if let head = request.head, sent < head.count {
            endpoints.sendHeadToMember(UnsafeRawBufferPointer(rebasing: head.bytes[sent...]))
        }
        let answer = Answer.awaited(AnswerHead())
        enter(.exchanging(outgoing, answer))
        awaitNext(outgoing, answer, at: now, over: endpoints)
        return outgoing.body.isComplete ? .waits : passBody(outgoing, answer, at: now, over: endpoints)
    }
}

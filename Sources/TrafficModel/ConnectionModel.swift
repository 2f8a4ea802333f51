package import LabTime
internal import Measurement
internal import Wire

/// One request over a connection from a new source port, its answer, and a close (`tcp-connect`, `http-request`), or over
/// a connection that another request has left. The timeout runs from the first SYN to the answer, repetitions of the
/// request included.
package struct ConnectionModel: FlowModel, Sendable {
    /// What counts as the answer.
    private enum Answer: Sendable {
        /// The handshake alone.
        case handshake
        /// The record that was sent.
        case record(ProbeParser)
        /// An HTTP answer; it survives with a status below 400.
        case http(HTTPAnswerReader)
    }

    enum Phase: Hashable, Sendable {
        /// The SYN is sent; the request waits for the handshake.
        case connecting(request: [UInt8])
        /// - Parameters:
        ///   - unsent: what the send buffer has not taken of the request
        ///   - latency: until the handshake was complete
        case awaiting(unsent: [UInt8], latency: Duration)
        /// - Parameter hasSentAll: whether the connection had taken the whole request
        case ended(latency: Duration?, hasSentAll: Bool)
    }

    private let identity: FlowIdentity
    private let started: Instant
    private(set) var phase: Phase
    private var meter: FlowMeter
    private var answer: Answer
    /// How often it may still repeat its request.
    private var retries: Int

    package init(_ identity: FlowIdentity, at now: Instant) {
        self.identity = identity
        started = now
        meter = identity.meter(cadence: identity.program.every)
        let sequence = meter.ask(at: now)
        retries = identity.program.retries
        var request: [UInt8] = []
        if identity.program.kind == .httpRequest {
            answer = .http(HTTPAnswerReader())
            request = HTTPRequestText.bytes(identity.program, flow: identity.flow)
        } else if identity.program.exchanges {
            answer = .record(ProbeParser())
            identity.record(sequence, at: now).append(to: &request)
        } else {
            answer = .handshake
        }
        phase = .connecting(request: request)
    }

    private var timesOutAt: Instant { started + identity.timeout }

    private var hasEnded: Bool { if case .ended = phase { true } else { false } }

    package var deadline: Instant? { hasEnded ? nil : timesOutAt }

    package var wantsToSend: Bool {
        switch phase {
        case .connecting(let unsent), .awaiting(let unsent, _): !unsent.isEmpty
        case .ended: false
        }
    }

    package var late: Int { 0 }

    package var leavesConnectionUsable: Bool {
        guard identity.program.reusesConnections, case .http(let reader) = answer else { return false }
        return reader.leavesConnectionUsable && hasSentAll
    }

    /// Whether the connection has taken the whole request: an answer may come before.
    private var hasSentAll: Bool {
        if case .ended(_, let hasSentAll) = phase { hasSentAll } else { false }
    }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        switch (phase, input) {
        case (.ended, _): break
        // It has asked already: it ends as it would have.
        case (_, .finish): break
        case (_, .failed(let ending)): failed(ending, &events)
        case (.connecting(let request), .connected): connected(request, now, &transport, &events)
        case (.connecting, .writable), (.connecting, .readable), (.awaiting, .connected): break
        case (.awaiting(let unsent, let latency), .writable): send(unsent, latency, &transport, &events)
        case (.awaiting, .readable): read(now, &transport, &events)
        // What is here already counts, although a busy machine has not let this process read it.
        case (.connecting(let request), .time):
            guard timesOutAt <= now else { break }
            switch transport.connection() {
            case .pending: end(.timedOut(identity.program, waitingFor: "connection"), &events)
            case .complete:
                connected(request, now, &transport, &events)
            case .failed(let ending): failed(ending, &events)
            }
            giveUp(now, &events)
        case (.awaiting, .time):
            guard timesOutAt <= now else { break }
            read(now, &transport, &events)
            giveUp(now, &events)
        }
        return events
    }

    private mutating func giveUp(_ now: Instant, _ events: inout [FlowEvent]) {
        if meter.hasTimedOut(at: now) { end(.timedOut(identity.program, waitingFor: "answer"), &events) }
    }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        phase = .ended(latency: latency, hasSentAll: !wantsToSend)
        events.append(.ended(ending))
    }

    /// Repeats the request over another connection, unless an answer had begun. Source: RFC 9110, 9.2.2
    private mutating func failed(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        guard retries > 0, case .http(let reader) = answer, reader == HTTPAnswerReader() else {
            return end(ending, &events)
        }
        retries -= 1
        phase = .connecting(request: HTTPRequestText.bytes(identity.program, flow: identity.flow))
        events.append(.connection(.open))
    }

    /// Until the handshake was complete; nil before.
    private var latency: Duration? {
        switch phase {
        case .connecting: nil
        case .awaiting(_, let latency): latency
        case .ended(let latency, _): latency
        }
    }

    private mutating func connected(
        _ request: [UInt8], _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let latency = now - started
        phase = .awaiting(unsent: request, latency: latency)
        guard case .handshake = answer else { return send(request, latency, &transport, &events) }
        meter.answered(0, at: now)
        events.append(.firstAnswer)
        end(.survived, &events)
    }

    private mutating func send(
        _ unsent: [UInt8], _ latency: Duration, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        guard !unsent.isEmpty else { return }
        switch unsent.withUnsafeBytes({ transport.send($0) }) {
        case .bytes(let count): phase = .awaiting(unsent: Array(unsent.dropFirst(count)), latency: latency)
        case .wouldBlock, .endOfStream: break
        case .failed(let ending): failed(ending, &events)
        }
    }

    // MARK: The answer

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let outcome = transport.receive { bytes in
            take(bytes, now, &events)
            return !hasEnded
        }
        switch outcome {
        case .endOfStream: closedByPeer(now, &events)
        case .failed(let ending): failed(ending, &events)
        case .bytes, .wouldBlock: break
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ now: Instant, _ events: inout [FlowEvent]) {
        switch answer {
        case .handshake: break
        case .record(var parser):
            parser.consume(bytes) { record in
                if identity.isOwn(record) { meter.answered(record.sequence, at: now) }
            }
            answer = .record(parser)
            guard meter.isSettled else { return }
            events.append(.firstAnswer)
            end(.survived, &events)
        case .http(var reader):
            reader.consume(bytes)
            answer = .http(reader)
            if reader.isGarbage { return end(FlowEnding(outcome: .reset, reason: "the answer is no HTTP"), &events) }
            if reader.isComplete { answered(reader, now, &events) }
        }
    }

    /// An HTTP answer without a length ends with its connection.
    private mutating func closedByPeer(_ now: Instant, _ events: inout [FlowEvent]) {
        if case .http(let reader) = answer, reader.status != nil { return answered(reader, now, &events) }
        failed(.closedByPeer, &events)
    }

    private mutating func answered(_ reader: HTTPAnswerReader, _ now: Instant, _ events: inout [FlowEvent]) {
        guard let status = reader.status else { return }
        meter.answered(0, at: now)
        events.append(.firstAnswer)
        guard status >= 400 else { return end(.survived, &events) }
        let why = reader.reason.map { ": \($0)" } ?? ""
        end(FlowEnding(outcome: .refused, reason: "status \(status)\(why)"), &events)
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        var figures = FlowFigures(
            started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome), latency: latency)
        switch answer {
        case .handshake: break
        case .record(let parser): figures.garbage = parser.garbage
        case .http(let reader): figures.status = reader.status
        }
        return figures
    }
}

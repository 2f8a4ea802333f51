package import LabTime
internal import Measurement
internal import Wire

/// One request over a connection from a new source port, its answer, and a close (`tcp-connect`, `http-request`). The
/// timeout runs from the first SYN to the answer.
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

    private let identity: FlowIdentity
    private let started: Instant
    private var meter: FlowMeter
    private var answer: Answer
    /// Bytes that are still to be sent.
    private var output: [UInt8] = []
    /// Until the handshake was complete; nil until then.
    private var latency: Duration?
    private(set) var hasEnded = false

    package init(_ identity: FlowIdentity, at now: Instant) {
        self.identity = identity
        started = now
        meter = identity.meter(cadence: identity.program.every)
        let sequence = meter.ask(at: now)
        if identity.program.kind == .httpRequest {
            answer = .http(HTTPAnswerReader())
            let host = identity.program.target.bracketed
            output = Array(
                """
                GET \(identity.program.path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: failoverlab\r\n\
                Connection: close\r\n\r\n
                """.utf8)
        } else if identity.program.exchanges {
            answer = .record(ProbeParser())
            identity.record(sequence, at: now).append(to: &output)
        } else {
            answer = .handshake
        }
    }

    private var timesOutAt: Instant { started + identity.timeout }

    package var deadline: Instant? { hasEnded ? nil : timesOutAt }
    package var wantsToSend: Bool { !output.isEmpty }
    package var late: Int { 0 }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        guard !hasEnded else { return [] }
        switch input {
        // It has asked already: it ends as it would have.
        case .finish: break
        case .connected: connected(now, &transport, &events)
        case .writable: if latency != nil { send(&transport, &events) }
        case .readable: if latency != nil { read(now, &transport, &events) }
        case .time:
            guard timesOutAt <= now else { break }
            lookOnce(now, &transport, &events)
            let what = latency == nil ? "connection" : "answer"
            if meter.hasTimedOut(at: now) { end(.timedOut(identity.program, waitingFor: what), &events) }
        }
        return events
    }

    /// What is here already counts, although a busy machine has not let this process read it.
    private mutating func lookOnce(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        guard latency == nil else { return read(now, &transport, &events) }
        switch transport.connection() {
        case .pending: break
        case .complete: connected(now, &transport, &events)
        case .failed(let ending): end(ending, &events)
        }
    }

    private mutating func end(_ ending: FlowEnding, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        hasEnded = true
        events.append(.ended(ending))
    }

    private mutating func connected(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        guard latency == nil else { return }
        latency = now - started
        guard case .handshake = answer else { return send(&transport, &events) }
        meter.answered(0, at: now)
        events.append(.firstAnswer)
        end(.survived, &events)
    }

    private mutating func send(_ transport: inout some FlowTransport, _ events: inout [FlowEvent]) {
        guard !output.isEmpty else { return }
        switch output.withUnsafeBytes({ transport.send($0) }) {
        case .bytes(let count): output.removeFirst(count)
        case .wouldBlock, .endOfStream: break
        case .failed(let ending): end(ending, &events)
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
        case .failed(let ending): end(ending, &events)
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
        end(.closedByPeer, &events)
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

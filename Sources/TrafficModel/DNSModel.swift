package import LabTime
internal import Measurement

/// One lookup of `dns`: a query for each record type, repeated as glibc's resolver repeats it, until all are answered.
///
/// | a try ends | then |
/// |---|---|
/// | with all answers | the lookup has ended: survived, or refused for their RCODE or TC |
/// | without any, or with an ICMP error | it was one of `attempts` |
/// | with some, where all were asked at once | all are asked again, one after the other, over the same socket |
/// | with some, where one was asked after the other | the same, each over a socket of its own |
/// | with some, where each had a socket of its own | the lookup has ended with what came |
///
/// Every query that is sent has a number of its own and counts as sent. A repeated query has the ID of the first one.
/// Source: glibc, resolv/res_send.c, `send_dg`
package struct DNSModel: FlowModel, Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case asking
        /// Another socket is on its way.
        case opening
        /// - Parameter latency: until the last answer; nil where not all came
        case ended(latency: Duration?)
    }

    /// How it asks for several records.
    enum Order: Hashable, Sendable {
        /// All at once.
        case together
        /// Each when the one before is answered.
        case inTurn
        /// The same, each from a source port of its own: `single-request-reopen`.
        case reopening
    }

    private struct Question: Hashable {
        let record: DNSTraffic.RecordType
        let id: UInt16
        let query: [UInt8]
        /// Of the newest query that was sent; nil before the first.
        var newest: UInt64?
        /// Of those that have no answer.
        var open: [UInt64] = []
        /// In the current try.
        var answer: DNSMessage?
    }

    private let identity: FlowIdentity
    private let options: DNSTraffic
    private let started: Instant
    private(set) var phase = Phase.asking
    private(set) var order: Order
    private var questions: [Question]
    /// The one that is asked, where they are asked one after the other.
    private var current = 0
    private var tries = 0
    /// Tries that count: without an answer.
    private var silent = 0
    private var tryEndsAt: Instant
    private var meter: FlowMeter
    private var garbage = 0

    package init(_ identity: FlowIdentity, at now: Instant) {
        let options = identity.program.options(of: DNSTraffic.self) ?? DNSTraffic()
        self.identity = identity
        self.options = options
        started = now
        tryEndsAt = now
        order = options.reopens ? .reopening : .together
        meter = identity.meter(cadence: options.tryTimeout)
        questions = options.records.enumerated().map { number, record in
            let id = Self.id(identity, question: number)
            return Question(record: record, id: id, query: DNSMessage.query(id, options.host, record))
        }
    }

    /// Differs between the questions of a lookup, and from those of the lookups before and after it. A lab needs none
    /// that is hard to guess.
    private static func id(_ identity: FlowIdentity, question: Int) -> UInt16 {
        let lookup = identity.number &* 0x9e37 &+ identity.flow &* 0x79b9
        return UInt16(truncatingIfNeeded: lookup &+ UInt32(truncatingIfNeeded: question) &* 0x3a5d)
    }

    private var timesOutAt: Instant { started + identity.timeout }

    private var hasEnded: Bool { if case .ended = phase { true } else { false } }

    package var deadline: Instant? { hasEnded ? nil : min(tryEndsAt, timesOutAt) }
    package var wantsToSend: Bool { false }
    package var late: Int { 0 }

    package mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent] {
        var events: [FlowEvent] = []
        switch (phase, input) {
        case (.ended, _): break
        // It has asked already: it ends as it would have.
        case (_, .finish), (_, .writable), (.asking, .connected): break
        case (_, .failed(let ending)): tryFailed(ending, now, &events)
        case (.opening, .connected):
            phase = .asking
            ask(now, &transport, &events)
        case (_, .readable): read(now, &transport, &events)
        case (_, .time): timePassed(now, &transport, &events)
        }
        return events
    }

    private mutating func end(_ ending: FlowEnding, latency: Duration? = nil, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        phase = .ended(latency: latency)
        events.append(.ended(ending))
    }

    // MARK: Tries

    private mutating func timePassed(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        // What is here already counts, although a busy machine has not let this process read it.
        if tries > 0 {
            guard receive(now, &transport, &events) else { return }
            if now < min(tryEndsAt, timesOutAt) { askNext(now, &transport, &events) }
        }
        if tries == 0 {
            begin(now, &transport, &events)
        } else if tryEndsAt <= min(now, timesOutAt) {
            tryIsOver(now, &transport, &events)
        }
        if !hasEnded, timesOutAt <= now {
            end(.timedOut(identity.program, waitingFor: "answer to \(unanswered)"), &events)
        }
    }

    private mutating func begin(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        beginTry(now)
        phase = .asking
        ask(now, &transport, &events)
    }

    /// The same from another source port.
    private mutating func reopen(_ now: Instant, _ events: inout [FlowEvent]) {
        beginTry(now)
        phase = .opening
        events.append(.connection(.open))
    }

    private mutating func beginTry(_ now: Instant) {
        tries += 1
        tryEndsAt = now + options.tryTimeout
        current = 0
        for index in questions.indices { questions[index].answer = nil }
    }

    private mutating func tryIsOver(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        let isHalfAnswered = questions.contains { $0.answer != nil }
        // A resolver gives the application the addresses that it has.
        if isHalfAnswered, order == .reopening { return conclude(now, &events) }
        if !isHalfAnswered { silent += 1 }
        guard isHalfAnswered || silent < options.attempts else {
            let times = tries == 1 ? "1 try" : "\(tries) tries"
            return end(
                FlowEnding(
                    outcome: .timedOut, reason: "no answer to \(unanswered) in \(times) of \(options.tryTimeout)"),
                &events)
        }
        // No time is left for another one: the application gives up.
        guard now < timesOutAt else { return }
        switch (isHalfAnswered, order) {
        case (true, .together):
            order = .inTurn
            begin(now, &transport, &events)
        case (true, .inTurn), (true, .reopening):
            order = .reopening
            reopen(now, &events)
        case (false, _): begin(now, &transport, &events)
        }
    }

    /// An error on the socket ends the try. The next one has another socket.
    private mutating func tryFailed(_ ending: FlowEnding, _ now: Instant, _ events: inout [FlowEvent]) {
        silent += 1
        guard silent < options.attempts, now < timesOutAt else { return end(ending, &events) }
        reopen(now, &events)
    }

    /// Of the current try: `A and AAAA`
    private var unanswered: String {
        let open =
            order == .together ? questions.filter { $0.answer == nil } : [questions[current]]
        return open.map(\.record.rawValue).joined(separator: " and ")
    }

    // MARK: Asking

    private mutating func ask(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        guard order == .together else { return send(current, now, &transport, &events) }
        for index in questions.indices where phase == .asking { send(index, now, &transport, &events) }
    }

    private mutating func send(
        _ index: Int, _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        switch questions[index].query.withUnsafeBytes({ transport.send($0) }) {
        case .bytes, .endOfStream:
            let number = meter.ask(at: now)
            questions[index].newest = number
            questions[index].open.append(number)
        // The next try asks again.
        case .wouldBlock: events.append(.skipped("the socket's send buffer is full"))
        case .failed(let ending): tryFailed(ending, now, &events)
        }
    }

    // MARK: Answers

    private mutating func read(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        if receive(now, &transport, &events) { askNext(now, &transport, &events) }
    }

    /// Takes what has come. False where the lookup or its try has ended by that.
    private mutating func receive(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) -> Bool {
        let outcome = transport.receive { datagram in
            take(datagram, now)
            return true
        }
        if questions.allSatisfy({ $0.answer != nil }) {
            conclude(now, &events)
            return false
        }
        if case .failed(let ending) = outcome {
            tryFailed(ending, now, &events)
            return false
        }
        return true
    }

    /// Takes a datagram as a resolver does: by QR, ID and question. Everything else is ignored.
    private mutating func take(_ datagram: UnsafeRawBufferPointer, _ now: Instant) {
        guard let message = try? DNSMessage(Array(datagram)), message.isResponse, message.questions.count == 1,
            let index = questions.firstIndex(where: {
                $0.id == message.id && message.questions[0].asks(for: options.host, $0.record)
            }), let newest = questions[index].newest
        else {
            garbage += 1
            return
        }
        // The queries for a record are equal: an answer is taken for that to the newest of them without one.
        meter.answered(questions[index].open.popLast() ?? newest, at: now)
        if questions[index].answer == nil { questions[index].answer = message }
    }

    private mutating func askNext(
        _ now: Instant, _ transport: inout some FlowTransport, _ events: inout [FlowEvent]
    ) {
        guard phase == .asking, order != .together, questions[current].answer != nil,
            let next = questions.firstIndex(where: { $0.answer == nil })
        else { return }
        current = next
        guard order == .reopening else { return send(next, now, &transport, &events) }
        phase = .opening
        events.append(.connection(.open))
    }

    private mutating func conclude(_ now: Instant, _ events: inout [FlowEvent]) {
        guard !hasEnded else { return }
        events.append(.firstAnswer)
        let problems = questions.compactMap { question in
            question.answer.flatMap(problem).map { "\($0) for \(question.record.rawValue)" }
        }
        guard !problems.isEmpty else { return end(.survived, latency: now - started, &events) }
        let wanted = options.expected == .noError ? "" : ", not \(options.expected.rawValue)"
        end(
            FlowEnding(outcome: .refused, reason: problems.joined(separator: ", ") + wanted), latency: now - started,
            &events)
    }

    /// What is wrong with an answer; nil where nothing is. A resolver would ask again by TCP where one is truncated.
    private func problem(_ answer: DNSMessage) -> String? {
        if answer.isTruncated { return "a truncated answer (TC)" }
        let code = DNSTraffic.ResponseCode.description(of: answer.responseCode)
        return code == options.expected.rawValue ? nil : code
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        var reading = meter.reading(endedAt: end, outcome: ending.outcome)
        // A server may answer the second query first.
        reading.reordered = 0
        var figures = FlowFigures(started: started, reading: reading, garbage: garbage + meter.unasked)
        if case .ended(let latency) = phase { figures.latency = latency }
        return figures
    }
}

import LabTime
import Measurement
import Testing
import Wire

@testable import TrafficModel

/// `udp-crowd` in virtual time.
struct ManyFlowModelTests {
    /// Sockets that a test plays.
    struct Played: ManyFlowTransport {
        struct Sent {
            var record: ProbeRecord
            var origin: FlowOrigins.Origin
        }

        var sent: [Sent] = []
        var outcome: TransportOutcome = .bytes(32)
        /// By port.
        var incoming: [Int: [(record: ProbeRecord, sender: Endpoint?, local: IPAddress?)]] = [:]

        mutating func send(_ bytes: [UInt8], from origin: FlowOrigins.Origin) -> TransportOutcome {
            if case .bytes = outcome, let record = bytes.withUnsafeBytes({ ProbeRecord(datagram: $0) }) {
                sent.append(Sent(record: record, origin: origin))
            }
            return outcome
        }

        mutating func receive(port: Int, atMost most: Int, _ take: (ReceivedDatagram) -> Void) {
            for (record, sender, local) in incoming.removeValue(forKey: port) ?? [] {
                var bytes: [UInt8] = []
                record.append(to: &bytes)
                bytes.withUnsafeBytes { take(ReceivedDatagram(bytes: $0, sender: sender, localAddress: local)) }
            }
        }

        /// The target answers what was sent, to where it came from.
        mutating func answer(_ sent: Sent) {
            incoming[sent.origin.port, default: []].append(
                (sent.record, ManyFlowModelTests.target, sent.origin.source.map { .ipv4($0) }))
        }
    }

    static let target = Endpoint(address: .ipv4(IPv4Address("192.0.2.7")!), port: 7)

    /// The model, and what it has done.
    struct Run {
        var model: ManyFlowModel
        var sockets = Played()
        var events: [ManyFlowEvent] = []

        init(flows: Int, sources: String? = "198.51.100.0/29", timeout: Duration = .milliseconds(300)) {
            let rounds = ManyFlowTraffic.Rounds(
                sources: sources.flatMap { IPv4Network($0) }, spread: .milliseconds(100))
            let program = TrafficProgram(
                name: "many", options: ManyFlowTraffic(rounds, retryEvery: .milliseconds(50)), from: "client",
                target: ManyFlowModelTests.target.address, port: 7, flows: flows, every: .milliseconds(1000),
                payload: 32, timeout: timeout)
            model = ManyFlowModel(program, number: 3, at: playedTime(0))
        }

        mutating func step(_ input: ManyFlowInput, at milliseconds: Int) {
            events += model.step(input, at: playedTime(milliseconds), over: &sockets)
        }

        /// Lets time pass from deadline to deadline.
        mutating func run(until milliseconds: Int, answers: (Played.Sent) -> Bool = { _ in false }) {
            while let deadline = model.deadline, deadline <= playedTime(milliseconds) {
                let before = sockets.sent.count
                events += model.step(.time, at: deadline, over: &sockets)
                for sent in sockets.sent[before...] where answers(sent) { sockets.answer(sent) }
                for port in sockets.incoming.keys.sorted() {
                    events += model.step(.readable(port: port), at: deadline, over: &sockets)
                }
            }
        }

        func outcomes(at milliseconds: Int) -> [FlowOutcome?] {
            (0..<model.origins.flows).map { model.figures(of: $0, at: playedTime(milliseconds))?.ending.outcome }
        }
    }

    @Test func `each flow has a five-tuple of its own, and asks once a round`() {
        var run = Run(flows: 20)
        run.run(until: 500) { _ in true }
        #expect(run.sockets.sent.map(\.record.flow) == Array(0..<20) && run.events == [.ready])
        #expect(Set(run.sockets.sent.map { "\($0.origin)" }).count == 20)
        #expect(run.model.origins.ports == 4 && run.sockets.sent.allSatisfy { $0.origin.source != nil })
        run.run(until: 1500) { _ in true }
        #expect(run.sockets.sent.count == 40 && run.model.late == 0)
    }

    @Test func `a flow without an answer asks again between the rounds, and what was lost counts`() {
        var run = Run(flows: 10)
        run.run(until: 900) { $0.record.flow != 4 || $0.record.sequence == 1 }
        #expect(run.sockets.sent.map(\.record.flow) == Array(0..<10) + [4] && run.events == [.ready])
        let reading = run.model.figures(of: 4, at: playedTime(900))?.figures.reading
        #expect(reading?.sent == 2 && reading?.received == 1 && reading?.lost == 1)
    }

    @Test func `what comes to another flow's port or address, or from somebody else, is no answer`() {
        var run = Run(flows: 10)
        run.run(until: 150)
        let sent = run.sockets.sent[0]
        let other = run.sockets.sent[1].origin.source.map { IPAddress.ipv4($0) }
        let own = sent.origin.source.map { IPAddress.ipv4($0) }
        let stranger = Endpoint(address: Self.target.address, port: 8)
        run.sockets.incoming = [
            0: [(sent.record, Self.target, other), (sent.record, stranger, own)], 1: [(sent.record, Self.target, own)],
        ]
        run.step(.readable(port: 0), at: 160)
        run.step(.readable(port: 1), at: 160)
        #expect(run.model.figures(of: 0, at: playedTime(160))?.figures.reading.received == 0)
        #expect(run.model.problems.reason == "3 datagrams answered nothing that was asked")
    }

    @Test func `a full send buffer is no loss, and states itself`() {
        var run = Run(flows: 2)
        run.sockets.outcome = .wouldBlock
        run.run(until: 120)
        #expect(run.model.problems.skipped >= 2 && run.outcomes(at: 120) == [nil, nil])
        #expect(run.model.problems.reason == "the socket's send buffer is full")
    }

    @Test func `flows that nobody answers time out, and then all have ended`() {
        var run = Run(flows: 3)
        run.run(until: 600)
        #expect(run.events == [.ready] && run.outcomes(at: 600) == [.timedOut, .timedOut, .timedOut])
    }

    @Test func `where everything is answered, it finishes in a step of its own`() {
        var run = Run(flows: 3)
        run.run(until: 200) { _ in true }
        run.step(.finish, at: 210)
        #expect(run.events == [.ready] && run.model.deadline == playedTime(210))
        run.step(.time, at: 210)
        #expect(run.events == [.ready, .ended] && run.outcomes(at: 210) == [.survived, .survived, .survived])
        #expect(run.model.deadline == nil)
    }

    @Test func `finishing asks only flows whose newest request is unanswered, until the timeout is over`() {
        var run = Run(flows: 4, timeout: .milliseconds(400))
        run.run(until: 110) { $0.record.flow != 2 }
        run.step(.finish, at: 120)
        let before = run.sockets.sent.count
        run.run(until: 2000)
        #expect(run.sockets.sent.count > before)
        #expect(run.sockets.sent[before...].allSatisfy { $0.record.flow == 2 })
        #expect(run.events == [.ended] && run.outcomes(at: 520) == [.survived, .survived, .timedOut, .survived])
    }

    @Test func `an answer that is there when the timeout is over counts`() {
        var run = Run(flows: 1)
        run.run(until: 10)
        run.step(.finish, at: 20)
        run.sockets.answer(run.sockets.sent[0])
        run.step(.time, at: 320)
        #expect(run.events.last == .ended && run.outcomes(at: 320) == [.survived])
    }

    @Test func `sockets that cannot be opened are stated, and finishing ends`() {
        var run = Run(flows: 5)
        run.model.failToStart("Too many open files")
        #expect(run.model.deadline == nil)
        run.step(.finish, at: 10)
        run.step(.time, at: 10)
        #expect(run.events == [.ended] && run.model.problems == (5, "Too many open files"))
    }

    /// Each kind of input in each phase: what may follow, and that an end is final.
    @Test func `every phase takes every input`() {
        func phase(_ model: ManyFlowModel) -> String {
            switch model.phase {
            case .asking: "asking"
            case .finishing: "finishing"
            case .settled: "settled"
            case .ended: "ended"
            }
        }
        func made(_ name: String) -> Run {
            var run = Run(flows: 2)
            run.run(until: 60) { _ in name == "settled" || name == "ended" }
            if name != "asking" { run.step(.finish, at: 70) }
            if name == "ended" { run.step(.time, at: 70) }
            return run
        }
        let expected: [String: [String]] = [
            "asking": ["asking", "asking", "finishing"], "finishing": ["finishing", "finishing", "finishing"],
            "settled": ["settled", "ended", "settled"], "ended": ["ended", "ended", "ended"],
        ]
        for (name, after) in expected {
            for (input, next) in zip([ManyFlowInput.readable(port: 0), .time, .finish], after) {
                var run = made(name)
                #expect(phase(run.model) == name)
                let before = run.sockets.sent.count
                run.events = []
                run.step(input, at: 80)
                #expect(phase(run.model) == next, "\(name), \(input)")
                #expect(run.events == (next == "ended" && name != "ended" ? [.ended] : []), "\(name), \(input)")
                if name == "ended" { #expect(run.sockets.sent.count == before) }
            }
        }
    }

    @Test func `a round's requests are spread evenly, and late ones are counted`() {
        let start = Instant(nanoseconds: 1_000_000_000)
        var schedule = RoundSchedule(start: start, every: .seconds(4), spread: .seconds(3), flows: 3)
        #expect(!schedule.isBetweenRounds)
        #expect(schedule.take(at: start) == 0 && schedule.take(at: start) == nil)
        #expect(schedule.nextDue == start + .seconds(1))
        #expect(schedule.take(at: start + .seconds(2)) == 1 && schedule.take(at: start + .seconds(2)) == 2)
        #expect(schedule.isBetweenRounds && schedule.late == 0 && schedule.nextDue == start + .seconds(4))
        #expect(schedule.take(at: start + .seconds(3)) == nil)
        #expect(schedule.take(at: start + .milliseconds(6001)) == 0 && schedule.late == 1)
        #expect(schedule.firstDue(of: 2) == start + .seconds(2))
    }
}

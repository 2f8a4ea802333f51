import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// `dns` in virtual time: tries of 30 ms, an application's timeout of 1 s.
struct DNSModelTests {
    private static let host = DNSName(rawValue: "www.example.test")!

    private func flow(
        _ records: [DNSTraffic.RecordType] = [.address, .ipv6Address], attempts: Int = 2, reopens: Bool = false,
        expected: DNSTraffic.ResponseCode = .noError, timeout: Duration = .seconds(1)
    ) -> PlayedFlow<DNSModel> {
        let options = DNSTraffic(
            Self.host, records: records, tryTimeout: .milliseconds(30), attempts: attempts, reopens: reopens,
            expected: expected)
        return PlayedFlow(
            DNSModel(.played(playedProgram(.dns, timeout: timeout, options: options)), at: playedTime(0)))
    }

    /// Takes what was sent, as `A 4660` with the record and the ID.
    private func queries(_ flow: inout PlayedFlow<DNSModel>) throws -> [(record: String, id: UInt16)] {
        defer { flow.transport.sent = [] }
        return try flow.transport.sent.map { bytes in
            let message = try DNSMessage(bytes)
            let record = try #require(
                DNSTraffic.RecordType.allCases.first { message.questions[0].asks(for: Self.host, $0) })
            #expect(!message.isResponse && message.questions.count == 1 && message.answers.isEmpty)
            return (record.rawValue, message.id)
        }
    }

    private func records(_ flow: inout PlayedFlow<DNSModel>) throws -> [String] { try queries(&flow).map(\.record) }

    /// The server answers these queries, of those that were sent last.
    private func answer(
        _ flow: inout PlayedFlow<DNSModel>, _ numbers: [Int], at milliseconds: Int, code: UInt8 = 0,
        isTruncated: Bool = false
    ) {
        flow.transport.incoming = numbers.map {
            DNSAnswer.bytes(to: flow.transport.sent[$0], code: code, isTruncated: isTruncated)
        }
        flow.step(.readable, at: milliseconds)
    }

    @Test func `both queries leave at once, each with an ID of its own, and both answers end the lookup`() throws {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [1], at: 3)
        #expect(flow.events.isEmpty)
        answer(&flow, [0], at: 5)
        #expect(flow.events == [.firstAnswer, .ended(.survived)])
        let sent = try queries(&flow)
        #expect(sent.map(\.record) == ["A", "AAAA"] && sent[0].id != sent[1].id)
        let figures = flow.model.figures(at: playedTime(5), .survived)
        #expect(figures.latency == .milliseconds(5) && figures.reading.sent == 2 && figures.reading.lost == 0)
        #expect(flow.model.deadline == nil)
    }

    @Test func `the IDs of lookups that follow each other differ`() throws {
        let program = playedProgram(.dns, options: DNSTraffic(Self.host, records: DNSTraffic.RecordType.allCases))
        var ids: [UInt16] = []
        for number in 0..<100 {
            var lookup = PlayedFlow(
                DNSModel(FlowIdentity(program, number: 1, flow: UInt32(number)), at: playedTime(0)))
            lookup.step(.time, at: 0)
            ids += try queries(&lookup).map(\.id)
        }
        #expect(ids.count == 900 && Set(ids).count == 900)
    }

    @Test
    func `an answer that is lost is waited for until the try ends, and then asked for in turn, over the same socket`()
        throws
    {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 1)
        #expect(try records(&flow) == ["A", "AAAA"])
        flow.run(until: 29)
        #expect(flow.transport.sent.isEmpty && flow.model.deadline == playedTime(30))
        flow.run(until: 30)
        #expect(flow.transport.sent.count == 1)
        answer(&flow, [0], at: 31)
        #expect(flow.transport.sent.count == 2)
        answer(&flow, [1], at: 32)
        #expect(try records(&flow) == ["A", "AAAA"])
        #expect(flow.events == [.firstAnswer, .ended(.survived)])
        let figures = flow.model.figures(at: playedTime(32), .survived)
        #expect(figures.latency == .milliseconds(32))
        #expect(figures.reading.sent == 4 && figures.reading.received == 3 && figures.reading.lost == 1)
        #expect(figures.reading.reordered == 0 && figures.reading.duplicated == 0)
    }

    @Test func `where it is lost again, each query has a socket of its own, and then what came is all`() throws {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 1)
        flow.transport.sent = []
        flow.run(until: 30)
        answer(&flow, [0], at: 31)
        #expect(try records(&flow) == ["A", "AAAA"])
        flow.run(until: 60)
        #expect(flow.events == [.connection(.open)] && flow.transport.sent.isEmpty)
        flow.step(.connected, at: 60)
        #expect(flow.transport.sent.count == 1)
        answer(&flow, [0], at: 61)
        #expect(try records(&flow) == ["A"])
        #expect(flow.events == [.connection(.open), .connection(.open)])
        flow.step(.connected, at: 61)
        #expect(try records(&flow) == ["AAAA"])
        flow.run(until: 90)
        #expect(flow.ending == .survived)
        #expect(flow.model.figures(at: playedTime(90), .survived).latency == .milliseconds(90))
        #expect(flow.reading(at: 90).sent == 6 && flow.reading(at: 90).lost == 3)
    }

    @Test func `single-request-reopen asks for the second record from another socket, once the first is answered`()
        throws
    {
        var flow = flow(reopens: true)
        flow.step(.time, at: 0)
        #expect(flow.transport.sent.count == 1)
        answer(&flow, [0], at: 4)
        #expect(try records(&flow) == ["A"])
        #expect(flow.events == [.connection(.open)])
        flow.step(.connected, at: 4)
        answer(&flow, [0], at: 8)
        #expect(try records(&flow) == ["AAAA"])
        #expect(flow.events == [.connection(.open), .firstAnswer, .ended(.survived)])
        #expect(flow.model.figures(at: playedTime(8), .survived).latency == .milliseconds(8))
    }

    @Test func `with single-request-reopen half an answer is final after one timeout`() {
        var flow = flow(reopens: true)
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 4)
        flow.step(.connected, at: 4)
        flow.run(until: 30)
        #expect(flow.ending == .survived)
        #expect(flow.reading(at: 30).lost == 1)
    }

    @Test(arguments: [1, 2, 5])
    func `without any answer it asks as often as there are attempts, all at once and from one port`(attempts: Int)
        throws
    {
        var flow = flow(attempts: attempts)
        flow.run(until: 1000)
        let sent = try queries(&flow)
        #expect(sent.map(\.record) == (0..<attempts).flatMap { _ in ["A", "AAAA"] })
        #expect(Set(sent.map(\.id)).count == 2, "a repeated query has the ID of the first")
        let tries = attempts == 1 ? "1 try" : "\(attempts) tries"
        let reason = "no answer to A and AAAA in \(tries) of 0.03 seconds"
        #expect(flow.events == [.ended(FlowEnding(outcome: .timedOut, reason: reason))])
    }

    @Test func `an answer that comes in the next try counts`() {
        var flow = flow([.address])
        flow.step(.time, at: 0)
        flow.run(until: 30)
        answer(&flow, [0], at: 35)
        #expect(flow.ending == .survived && flow.reading(at: 35).sent == 2 && flow.reading(at: 35).received == 1)
    }

    @Test func `an answer of the try before counts for a query that is not repeated yet`() {
        var flow = flow()
        flow.step(.time, at: 0)
        let late = DNSAnswer.bytes(to: flow.transport.sent[1])
        answer(&flow, [0], at: 1)
        flow.run(until: 30)
        flow.transport.incoming = [DNSAnswer.bytes(to: flow.transport.sent[2]), late]
        #expect(flow.step(.readable, at: 31) == [.firstAnswer, .ended(.survived)])
        #expect(flow.transport.sent.count == 3 && flow.reading(at: 31).lost == 0)
    }

    @Test func `answers that are there when its time is over count`() {
        var flow = flow(timeout: .milliseconds(20))
        flow.step(.time, at: 0)
        flow.transport.incoming = flow.transport.sent.map { DNSAnswer.bytes(to: $0) }
        flow.step(.time, at: 900)
        #expect(flow.ending == .survived)
    }

    @Test func `the application may give up before its resolver`() {
        var flow = flow(timeout: .milliseconds(45))
        flow.run(until: 1000)
        #expect(flow.transport.sent.count == 4)
        #expect(
            flow.ending?.reason == "no answer to A and AAAA for 0.045 seconds, the application's patience",
            "\(flow.ending?.reason ?? "")")
        // A try that would begin after that does not.
        var late = self.flow(timeout: .milliseconds(45))
        late.step(.time, at: 0)
        late.step(.time, at: 400)
        #expect(late.transport.sent.count == 2 && late.ending?.outcome == .timedOut)
    }

    // MARK: What an answer is

    @Test func `a datagram with another ID, another question, without QR, or that is none at all, is no answer`() {
        var flow = flow([.address])
        flow.step(.time, at: 0)
        let right = DNSAnswer.bytes(to: flow.transport.sent[0])
        var (id, type, name, query) = (right, right, right, right)
        id[1] ^= 1
        type[type.count - 3] = 28
        name[13] = 0x78
        query[2] &= 0x7f
        flow.transport.incoming = [id, type, name, query, Array(right.dropLast()), [1, 2, 3], []]
        #expect(flow.step(.readable, at: 1).isEmpty)
        #expect(flow.model.figures(at: playedTime(1), .survived).garbage == 7)
        flow.transport.incoming = [right]
        #expect(flow.step(.readable, at: 2) == [.firstAnswer, .ended(.survived)])
    }

    @Test func `a second answer to a query is a duplicate`() {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [0, 0], at: 1)
        answer(&flow, [1], at: 2)
        let reading = flow.reading(at: 2)
        #expect(flow.ending == .survived && reading.received == 2 && reading.duplicated == 1)
    }

    @Test func `another RCODE than expected refuses the lookup, once all records are answered`() {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 1, code: 3)
        #expect(flow.events.isEmpty)
        answer(&flow, [1], at: 2, code: 3)
        let ending = FlowEnding(outcome: .refused, reason: "NXDOMAIN for A, NXDOMAIN for AAAA")
        #expect(flow.events == [.firstAnswer, .ended(ending)])
        #expect(flow.reading(at: 2).lost == 0)
    }

    @Test(arguments: [
        (UInt8(2), "SERVFAIL for A"), (5, "REFUSED for A"), (1, "FORMERR for A"), (4, "NOTIMP for A"),
        (9, "RCODE 9 for A"),
    ])
    func `every RCODE has its word`(code: UInt8, reason: String) {
        var flow = flow([.address])
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 1, code: code)
        #expect(flow.ending == FlowEnding(outcome: .refused, reason: reason))
    }

    @Test func `the RCODE that is expected survives, and NOERROR is then refused`() {
        var right = flow([.address], expected: .nameError)
        right.step(.time, at: 0)
        answer(&right, [0], at: 1, code: 3)
        #expect(right.ending == .survived)
        var wrong = flow([.address], expected: .nameError)
        wrong.step(.time, at: 0)
        answer(&wrong, [0], at: 1)
        #expect(wrong.ending?.reason == "NOERROR for A, not NXDOMAIN")
    }

    @Test func `a truncated answer refuses the lookup`() {
        var flow = flow()
        flow.step(.time, at: 0)
        answer(&flow, [0], at: 1)
        answer(&flow, [1], at: 2, isTruncated: true)
        #expect(flow.ending == FlowEnding(outcome: .refused, reason: "a truncated answer (TC) for AAAA"))
    }

    // MARK: Errors

    @Test func `an ICMP error ends a try, and the next has another socket`() throws {
        let refusal = FlowEnding(outcome: .refused, reason: "Connection refused")
        var flow = flow()
        flow.step(.time, at: 0)
        flow.transport.ending = .failed(refusal)
        #expect(flow.step(.readable, at: 1) == [.connection(.open)])
        flow.transport.ending = .wouldBlock
        #expect(try records(&flow) == ["A", "AAAA"])
        flow.step(.connected, at: 1)
        #expect(try records(&flow) == ["A", "AAAA"])
        flow.transport.ending = .failed(refusal)
        #expect(flow.step(.readable, at: 2) == [.ended(refusal)])
    }

    @Test func `an error when sending, or when opening a socket, ends a try as well`() throws {
        let refusal = FlowEnding(outcome: .refused, reason: "Network is unreachable")
        var sending = flow()
        sending.transport.sendFailure = refusal
        #expect(sending.step(.time, at: 0) == [.connection(.open)])
        #expect(sending.step(.connected, at: 0) == [.ended(refusal)])
        var opening = flow()
        #expect(opening.step(.failed(refusal), at: 0) == [.connection(.open)])
        #expect(opening.step(.failed(refusal), at: 0) == [.ended(refusal)])
    }

    @Test func `a full send buffer is a skip, and the next try asks again`() throws {
        var flow = flow([.address])
        flow.transport.room = 0
        flow.step(.time, at: 0)
        #expect(flow.events == [.skipped("the socket's send buffer is full")])
        flow.transport.room = .max
        flow.run(until: 30)
        answer(&flow, [0], at: 31)
        #expect(flow.ending == .survived && flow.reading(at: 31).sent == 1)
    }

    @Test func `it ends as it would have, whether it is to finish or not, and then ignores all`() {
        var flow = flow()
        flow.step(.time, at: 0)
        #expect(flow.step(.finish, at: 1).isEmpty && flow.model.deadline == playedTime(30))
        answer(&flow, [0, 1], at: 2)
        #expect(flow.ending == .survived)
        for input in FlowInput.all { #expect(flow.step(input, at: 600).isEmpty) }
    }
}

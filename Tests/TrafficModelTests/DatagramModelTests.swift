import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// `udp` and `udp-request` in virtual time.
struct DatagramModelTests {
    private func flow(offset: Duration = .zero) -> PlayedFlow<DatagramModel> {
        PlayedFlow(DatagramModel(.played(playedProgram(.udp)), offset: offset, at: playedTime(0)))
    }

    @Test func `requests leave at the cadence, answered or not`() {
        var flow = flow(offset: .milliseconds(3))
        flow.run(until: 30)
        #expect(flow.requests == [0, 1, 2] && flow.events.isEmpty)
    }

    @Test func `a lost datagram between answered ones is a loss`() {
        var flow = flow()
        flow.run(until: 10, echoes: true)
        flow.step(.time, at: 20)
        flow.transport.sent = []
        flow.run(until: 40, echoes: true)
        flow.step(.finish, at: 41)
        flow.run(until: 60)
        let reading = flow.reading(at: 41)
        #expect(flow.ending == .survived && reading.sent == 5 && reading.lost == 1)
    }

    @Test func `a flow that finishes goes on asking until its newest request, or one after it, is answered`() {
        var flow = flow()
        flow.run(until: 10, echoes: true)
        flow.step(.time, at: 20)
        flow.transport.sent = []
        flow.step(.finish, at: 21)
        flow.step(.time, at: 30)
        #expect(flow.requests == [3])
        flow.transport.echo()
        #expect(flow.step(.readable, at: 31) == [.ended(.survived)])
        let reading = flow.reading(at: 31)
        #expect(reading.sent == 4 && reading.lost == 1)
    }

    @Test func `what it asks after it is to finish does not count where nobody answers`() {
        var flow = flow()
        flow.run(until: 10, echoes: true)
        flow.step(.time, at: 20)
        flow.step(.finish, at: 21)
        flow.run(until: 300)
        let reading = flow.reading(at: 120)
        #expect(flow.ending?.outcome == .timedOut && reading.sent == 3 && reading.lost == 1)
    }

    @Test func `a full send buffer is a skip, and takes no number`() {
        var flow = flow()
        flow.transport.room = 0
        flow.step(.time, at: 0)
        #expect(flow.events == [.skipped("the socket's send buffer is full")])
        flow.transport.room = .max
        flow.step(.time, at: 10)
        #expect(flow.requests == [0] && flow.reading(at: 10).sent == 1)
    }

    @Test func `an error that the kernel reports ends it, when sending and when receiving`() {
        let refusal = FlowEnding(outcome: .refused, reason: "Connection refused")
        var sending = flow()
        sending.transport.sendFailure = refusal
        #expect(sending.step(.time, at: 0) == [.ended(refusal)])
        var receiving = flow()
        receiving.transport.ending = .failed(refusal)
        #expect(receiving.step(.readable, at: 0) == [.ended(refusal)])
    }

    @Test func `datagrams that are no answer are counted`() {
        var flow = flow()
        flow.step(.time, at: 0)
        flow.transport.incoming = [[1, 2, 3]]
        flow.step(.readable, at: 1)
        #expect(flow.model.figures(at: playedTime(1), .survived).garbage == 1 && flow.events.isEmpty)
    }

    // MARK: udp-request

    private func request() -> PlayedFlow<RequestModel> {
        PlayedFlow(RequestModel(.played(playedProgram(.udpRequest)), at: playedTime(0)))
    }

    @Test func `a request is repeated until it is answered, each time with a number of its own`() {
        var request = request()
        request.run(until: 70)
        #expect(request.requests == [0, 1, 2])
        request.transport.incoming = [request.transport.sent[1]]
        #expect(request.step(.readable, at: 75) == [.firstAnswer, .ended(.survived)])
        let figures = request.model.figures(at: playedTime(75), .survived)
        #expect(figures.latency == .milliseconds(75) && figures.reading.sent == 3 && figures.reading.received == 1)
    }

    @Test func `after a hold-up one repetition is enough`() {
        var request = request()
        request.step(.time, at: 0)
        request.step(.time, at: 95)
        #expect(request.requests == [0, 1])
    }

    @Test func `a request times out from the first one on, unless its answer is there`() {
        var silent = request()
        silent.run(until: 200)
        #expect(silent.ending?.outcome == .timedOut && silent.requests == [0, 1, 2, 3])
        var answered = request()
        answered.step(.time, at: 0)
        answered.transport.echo()
        answered.step(.time, at: 100)
        #expect(answered.ending == .survived)
    }

    // MARK: Bursts and other ports

    @Test func `a burst leaves at once, at each interval`() {
        var flow = PlayedFlow(
            DatagramModel(.played(playedProgram(.udp, options: UDPTraffic(burst: 3))), offset: .zero, at: playedTime(0))
        )
        flow.step(.time, at: 0)
        #expect(flow.requests == [0, 1, 2])
        flow.step(.time, at: 10)
        #expect(flow.requests == [0, 1, 2, 3, 4, 5])
    }

    @Test func `of a burst of requests those without an answer are repeated, until all have one`() {
        let options = UDPRequestTraffic(retryEvery: .milliseconds(30), burst: 2)
        var request = PlayedFlow(
            RequestModel(.played(playedProgram(.udpRequest, options: options)), at: playedTime(0)))
        request.step(.time, at: 0)
        #expect(request.requests == [0, 1])
        request.transport.incoming = [request.transport.sent[1]]
        request.transport.sent = []
        #expect(request.step(.readable, at: 5).isEmpty)
        request.step(.time, at: 30)
        #expect(request.requests == [2])
        request.transport.echo()
        #expect(request.step(.readable, at: 31) == [.firstAnswer, .ended(.survived)])
        let figures = request.model.figures(at: playedTime(31), .survived)
        #expect(figures.reading.sent == 3 && figures.reading.lost == 1 && figures.latency == .milliseconds(31))
    }

    @Test func `from its other port a flow goes on with the request that was due`() {
        var flow = PlayedFlow(
            DatagramModel(
                .played(playedProgram(.udp, options: UDPTraffic(rebinding: .requests(2)))), offset: .zero,
                at: playedTime(0)))
        flow.run(until: 10, echoes: true)
        #expect(flow.step(.time, at: 20) == [.connection(.open)])
        #expect(flow.requests.isEmpty)
        flow.step(.connected, at: 20)
        #expect(flow.requests == [2])
        flow.run(until: 30)
        #expect(flow.requests == [2, 3])
        #expect(flow.step(.time, at: 40) == [.connection(.open)])
        flow.step(.connected, at: 40)
        // A late answer to the former port's request counts.
        flow.transport.echo()
        flow.step(.readable, at: 41)
        flow.step(.finish, at: 42)
        flow.run(until: 42)
        #expect(flow.ending == .survived && flow.reading(at: 42).lost == 0)
    }

    @Test func `a flow changes its port once after a time`() {
        var flow = PlayedFlow(
            DatagramModel(
                .played(playedProgram(.udp, options: UDPTraffic(rebinding: .after(.milliseconds(15))))),
                offset: .zero, at: playedTime(0)))
        flow.run(until: 10)
        #expect(flow.step(.time, at: 20) == [.connection(.open)])
        flow.step(.connected, at: 20)
        flow.run(until: 60)
        #expect(flow.events == [.connection(.open)] && flow.requests == [0, 1, 2, 3, 4, 5, 6])
    }

    @Test func `it ends as it would have, whether it is to finish or not`() {
        var request = request()
        request.step(.time, at: 0)
        #expect(request.step(.finish, at: 1).isEmpty && request.model.deadline == playedTime(30))
    }
}

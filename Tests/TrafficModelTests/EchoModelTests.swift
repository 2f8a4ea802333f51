import LabTime
import Measurement
import Testing
import Wire

@testable import TrafficModel

/// `ping` in virtual time: requests each 10 ms, a timeout of 100 ms.
struct EchoModelTests {
    private func flow(count: Int? = nil) -> PlayedFlow<EchoModel> {
        var program = playedProgram(.ping)
        program.options = PingTraffic(count: count)
        return PlayedFlow(EchoModel(.played(program), offset: .zero, at: playedTime(0)))
    }

    @Test func `it asks on through an outage, which is a loss and a gap`() {
        var flow = flow()
        flow.run(until: 10, echoes: true)
        flow.run(until: 500)
        #expect(flow.ending == nil && flow.requests.count == 49)
        flow.transport.sent = []
        flow.run(until: 520, echoes: true)
        flow.step(.finish, at: 521)
        flow.run(until: 530)
        let reading = flow.reading(at: 521)
        #expect(flow.ending == .survived && reading.sent == 53 && reading.lost == 49)
        #expect(reading.longestGap == .milliseconds(500))
        #expect(flow.events.filter { $0 == .firstAnswer }.count == 1)
    }

    @Test func `after its count it waits for its answers, and asks nothing more`() {
        var answered = flow(count: 3)
        answered.run(until: 100, echoes: true)
        #expect(answered.ending == .survived && answered.reading(at: 20).sent == 3)
        var silent = flow(count: 3)
        silent.run(until: 1000)
        #expect(silent.requests == [0, 1, 2] && silent.ending?.outcome == .timedOut)
        #expect(silent.reading(at: 120).lost == 3)
    }

    @Test func `the loss of its last request is a loss, not a dead path`() {
        var flow = flow(count: 3)
        flow.run(until: 10, echoes: true)
        flow.run(until: 200)
        #expect(flow.ending == .survived && flow.reading(at: 120).lost == 1)
    }

    @Test func `it times out where the requests of its last timeout were not answered`() {
        var flow = flow()
        flow.run(until: 10, echoes: true)
        flow.run(until: 200)
        flow.step(.finish, at: 201)
        #expect(flow.model.deadline == playedTime(300))
        flow.run(until: 300)
        #expect(flow.ending?.outcome == .timedOut)
    }

    @Test func `answers that are there when its time is over count`() {
        var flow = flow(count: 1)
        flow.step(.time, at: 0)
        flow.transport.echo()
        flow.step(.time, at: 100)
        #expect(flow.ending == .survived && flow.reading(at: 100).lost == 0)
    }

    @Test func `what the kernel reports is its ending where no answer came after it`() {
        let refusal = FlowEnding(outcome: .refused, reason: "No route to host")
        var sending = flow(count: 2)
        sending.transport.sendFailure = refusal
        sending.run(until: 500)
        #expect(sending.ending == refusal && sending.reading(at: 110).sent == 2)
        var receiving = flow()
        receiving.step(.time, at: 0)
        receiving.transport.ending = .failed(refusal)
        #expect(receiving.step(.readable, at: 1).isEmpty)
        receiving.transport.ending = .wouldBlock
        receiving.transport.sent = []
        receiving.run(until: 20, echoes: true)
        receiving.step(.finish, at: 21)
        receiving.run(until: 30)
        #expect(receiving.ending == .survived)
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

    @Test func `data that is no answer is counted, and a flow that has ended ignores all`() {
        var flow = flow()
        flow.step(.time, at: 0)
        flow.transport.incoming = [[1, 2, 3]]
        flow.step(.readable, at: 1)
        #expect(flow.model.figures(at: playedTime(1), .survived).garbage == 1)
        flow.step(.finish, at: 2)
        flow.step(.finish, at: 3)
        flow.run(until: 500)
        #expect(flow.ending?.outcome == .timedOut && flow.model.deadline == nil)
        for input in FlowInput.all { #expect(flow.step(input, at: 600).isEmpty) }
    }
}

import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// `tcp-stream` in virtual time.
struct StreamModelTests {
    private func flow(offset: Duration = .zero, timeout: Duration = .milliseconds(100), payload: Int = 32)
        -> PlayedFlow<StreamModel>
    {
        PlayedFlow(
            StreamModel(
                .played(playedProgram(.tcpStream, timeout: timeout, payload: payload)), offset: offset,
                at: playedTime(0)))
    }

    @Test func `requests leave at the cadence, from the handshake and the flow's own offset on`() {
        var flow = flow(offset: .milliseconds(4))
        #expect(flow.model.deadline == playedTime(100))
        flow.step(.connected, at: 50)
        #expect(flow.requests.isEmpty && flow.model.deadline == playedTime(54))
        flow.run(until: 80)
        #expect(flow.requests == [0, 1, 2])
        #expect(flow.model.deadline == playedTime(84) && flow.model.late == 0)
    }

    @Test func `what fell due during a hold-up leaves at once, and counts as late`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.step(.time, at: 45)
        #expect(flow.requests == [0, 1, 2, 3, 4] && flow.model.late == 3)
    }

    @Test func `the first answer is reported once, and a flow that finishes survives with everything answered`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.run(until: 30, echoes: true)
        #expect(flow.events == [.firstAnswer])
        flow.step(.time, at: 40)
        #expect(flow.step(.finish, at: 41).isEmpty)
        flow.transport.echo()
        #expect(flow.step(.readable, at: 43) == [.ended(.survived)])
        let reading = flow.reading(at: 43)
        #expect(reading.sent == 5 && reading.received == 5 && reading.lost == 0)
        #expect(flow.model.deadline == nil)
    }

    @Test func `where everything is answered already, it ends in a step of its own`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.transport.echo()
        flow.step(.readable, at: 1)
        #expect(flow.step(.finish, at: 5).isEmpty && flow.model.deadline == playedTime(5))
        #expect(flow.step(.time, at: 5) == [.ended(.survived)])
    }

    @Test(arguments: [true, false])
    func `a flow that is to finish before its first request asks once`(_ isConnected: Bool) {
        var flow = flow(offset: .milliseconds(8))
        if isConnected { flow.step(.connected, at: 2) }
        flow.step(.finish, at: 3)
        if !isConnected { flow.step(.connected, at: 4) }
        #expect(flow.requests == [0])
        flow.run(until: 50)
        #expect(flow.requests == [0])
    }

    @Test func `without a connection, or without an answer, it times out`() {
        var unconnected = flow()
        unconnected.run(until: 200)
        #expect(unconnected.ending?.reason == "no connection for 0.1 seconds, the application's patience")
        #expect(unconnected.ending?.outcome == .timedOut)
        var silent = flow()
        silent.step(.connected, at: 10)
        silent.run(until: 40, echoes: true)
        // The first request without an answer leaves at 50.
        silent.run(until: 149)
        #expect(silent.ending == nil)
        silent.run(until: 160)
        #expect(silent.ending?.reason == "no answer for 0.1 seconds, the application's patience")
        #expect(silent.reading(at: 160).lost > 0)
    }

    @Test func `an answer that is there when the time is over counts`() {
        var flow = flow(timeout: .milliseconds(25))
        flow.step(.connected, at: 0)
        flow.transport.echo()
        flow.step(.time, at: 25)
        #expect(flow.events == [.firstAnswer])
        #expect(flow.reading(at: 25).received == 1)
    }

    @Test func `what the send buffer does not take waits, and is sent when there is room`() {
        var flow = flow()
        flow.transport.room = 40
        flow.step(.connected, at: 0)
        flow.run(until: 10)
        #expect(flow.model.wantsToSend && flow.requests == [0])
        flow.transport.room = .max
        flow.step(.writable, at: 12)
        #expect(!flow.model.wantsToSend && flow.requests == [0, 1])
    }

    @Test func `a request that finds no room to wait is skipped`() {
        var flow = flow(payload: 65_507)
        flow.transport.room = 0
        flow.step(.connected, at: 0)
        flow.step(.time, at: 160)
        let skips = flow.events.count { if case .skipped = $0 { true } else { false } }
        #expect(skips == 1)
        #expect(flow.reading(at: 160).sent == 16)
    }

    @Test func `before it ends by a failed send, what the peer had sent is read`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.transport.echo()
        flow.transport.sendFailure = FlowEnding(outcome: .reset, reason: "Connection reset by peer")
        flow.step(.time, at: 10)
        #expect(flow.events.first == .firstAnswer && flow.ending?.reason == "Connection reset by peer")
    }

    @Test func `an end of the stream, and an error, end it`() {
        var closed = flow()
        closed.step(.connected, at: 0)
        closed.transport.ending = .endOfStream
        #expect(closed.step(.readable, at: 5) == [.ended(.closedByPeer)])
        var failed = flow()
        failed.step(.connected, at: 0)
        failed.transport.ending = .failed(FlowEnding(outcome: .reset, reason: "why"))
        #expect(failed.step(.readable, at: 5) == [.ended(FlowEnding(outcome: .reset, reason: "why"))])
    }

    @Test func `records of other flows and other bytes are counted, and answer nothing`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        var other: [UInt8] = [1, 2, 3]
        ProbeRecord(program: 1, flow: 5, sequence: 0, sentAt: playedTime(0), length: 32).append(to: &other)
        flow.transport.incoming = [other]
        #expect(flow.step(.readable, at: 5).isEmpty)
        #expect(flow.model.figures(at: playedTime(5), .survived).garbage == 35)
    }

    @Test(arguments: FlowInput.all)
    func `of a flow that has ended every step is ignored`(_ input: FlowInput) {
        var flow = flow()
        flow.run(until: 200)
        #expect(flow.ending != nil)
        flow.transport.ending = .endOfStream
        #expect(flow.step(input, at: 300).isEmpty && flow.transport.sent.isEmpty && flow.model.deadline == nil)
    }
}

import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// Flows that go on after an error, or with another connection, in virtual time.
struct ReconnectTests {
    private static let reset = FlowEnding(outcome: .reset, reason: "Connection reset by peer")

    private func flow(
        _ reconnect: Reconnect? = Reconnect(after: .milliseconds(20), atMost: .milliseconds(50)),
        maximumAge: Duration? = nil, sizes: [Int]? = nil
    ) -> PlayedFlow<StreamModel> {
        let options = TCPStreamTraffic(sizes: sizes, reconnect: reconnect, maximumAge: maximumAge)
        return PlayedFlow(
            StreamModel(.played(playedProgram(.tcpStream, options: options)), offset: .zero, at: playedTime(0)))
    }

    @Test func `after an error it waits, and opens another connection`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.transport.echo()
        flow.step(.readable, at: 0)
        #expect(flow.step(.failed(Self.reset), at: 5) == [.connection(.close)])
        #expect(flow.step(.time, at: 10).isEmpty && flow.requests.isEmpty, "nothing can take the request")
        #expect(flow.step(.time, at: 25) == [.connection(.open)])
        flow.step(.connected, at: 27)
        #expect(flow.requests.isEmpty)
        flow.run(until: 30, echoes: true)
        flow.step(.finish, at: 31)
        flow.run(until: 40)
        #expect(flow.ending == .survived)
        let figures = flow.model.figures(at: playedTime(40), .survived)
        #expect(figures.reconnects == 1 && figures.longestDisconnection == .milliseconds(22))
        #expect(figures.reading.sent == 4 && figures.reading.lost == 2, "those of 10 and 20 ms are lost")
        #expect(figures.reading.longestGap == .milliseconds(30))
    }

    @Test func `the delay doubles up to its bound, until an answer comes`() {
        var flow = flow()
        var (now, delays) = (0, [Int]())
        func fail() {
            flow.step(.failed(Self.reset), at: now)
            let began = now
            while case .waiting = flow.model.phase {
                now = Int((flow.model.deadline ?? playedTime(now)).nanoseconds / 1_000_000)
                flow.step(.time, at: now)
            }
            delays.append(now - began)
        }
        for _ in 0..<4 { fail() }
        flow.step(.connected, at: now)
        flow.run(until: now + 10, echoes: true)
        now += 11
        fail()
        #expect(delays == [20, 40, 50, 50, 20])
        #expect(flow.ending == nil)
        // From the first error to the handshake, and from the second to the end.
        #expect(flow.model.figures(at: playedTime(now), .survived).longestDisconnection == .milliseconds(160))
    }

    @Test func `each kind of error counts, also the application's own timeout`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.transport.ending = .endOfStream
        #expect(flow.step(.readable, at: 1) == [.connection(.close)])
        flow.transport.ending = .wouldBlock
        #expect(flow.step(.time, at: 21) == [.connection(.open)])
        flow.step(.connected, at: 22)
        flow.run(until: 129)
        #expect(flow.events.count == 2)
        flow.step(.time, at: 130)
        #expect(flow.events.last == .connection(.close), "no answer to the request of 30 ms for 100 ms")
    }

    @Test func `a bound of attempts ends it with the last error, and so does the end of the program`() {
        var bounded = flow(Reconnect(after: .milliseconds(20), atMost: .milliseconds(20), attempts: 1))
        #expect(bounded.step(.failed(Self.reset), at: 0) == [.connection(.close)])
        bounded.step(.time, at: 20)
        let refused = FlowEnding(outcome: .refused)
        #expect(bounded.step(.failed(refused), at: 21) == [.ended(refused)])
        var stopped = flow()
        stopped.step(.failed(Self.reset), at: 0)
        #expect(stopped.step(.finish, at: 5) == [.ended(Self.reset)])
        #expect(
            stopped.model.figures(at: playedTime(5), Self.reset).longestDisconnection == .milliseconds(5))
        var finishing = flow()
        finishing.step(.connected, at: 0)
        finishing.step(.finish, at: 1)
        #expect(finishing.step(.failed(Self.reset), at: 2) == [.ended(Self.reset)])
    }

    @Test func `a flow that is to finish while it connects again asks once more`() {
        var flow = flow()
        flow.step(.connected, at: 0)
        flow.transport.echo()
        flow.step(.readable, at: 0)
        flow.step(.failed(Self.reset), at: 1)
        flow.run(until: 21)
        flow.step(.finish, at: 22)
        flow.step(.connected, at: 23)
        #expect(flow.requests.count == 1 && flow.ending == nil)
        flow.transport.echo()
        flow.step(.readable, at: 24)
        #expect(flow.ending == .survived)
    }

    @Test func `an old connection is followed by another when all is answered, and no request is lost`() {
        var flow = flow(nil, maximumAge: .milliseconds(25))
        flow.step(.connected, at: 0)
        flow.run(until: 10, echoes: true)
        flow.step(.time, at: 20)
        flow.step(.time, at: 25)
        #expect(flow.model.phase == .retiring && flow.events == [.firstAnswer])
        flow.step(.time, at: 30)
        #expect(flow.requests == [2], "no request goes over a connection that retires")
        flow.transport.echo()
        #expect(flow.step(.readable, at: 31) == [.connection(.open)])
        flow.step(.connected, at: 33)
        #expect(flow.requests == [3])
        flow.transport.echo()
        flow.step(.readable, at: 34)
        flow.step(.finish, at: 35)
        flow.run(until: 35)
        let figures = flow.model.figures(at: playedTime(35), .survived)
        #expect(flow.ending == .survived && figures.reading.lost == 0 && figures.reconnects == nil)
    }

    @Test func `requests of several sizes follow each other`() {
        var flow = flow(nil, sizes: [40, 100, 32])
        flow.step(.connected, at: 0)
        flow.run(until: 30)
        // The flow's number, 4, decides where it begins.
        #expect(flow.transport.sent.map(\.count) == [100, 32, 40, 100])
    }
}

import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// `tcp-connect` and `http-request` in virtual time.
struct ConnectionModelTests {
    private func flow(_ kind: TrafficProgram.Kind, exchanges: Bool = true) -> PlayedFlow<ConnectionModel> {
        PlayedFlow(ConnectionModel(.played(playedProgram(kind, exchanges: exchanges)), at: playedTime(0)))
    }

    private func http(_ answer: String, closes: Bool = false) -> PlayedFlow<ConnectionModel> {
        var flow = flow(.httpRequest)
        flow.step(.connected, at: 5)
        flow.transport.incoming = [Array(answer.utf8)]
        if closes { flow.transport.ending = .endOfStream }
        flow.step(.readable, at: 9)
        return flow
    }

    @Test func `without an exchange the handshake is the answer`() {
        var flow = flow(.tcpConnect, exchanges: false)
        #expect(flow.step(.connected, at: 7) == [.firstAnswer, .ended(.survived)])
        let figures = flow.model.figures(at: playedTime(7), .survived)
        #expect(figures.latency == .milliseconds(7) && figures.reading.received == 1 && flow.transport.sent.isEmpty)
    }

    @Test func `with an exchange it asks after the handshake, and the answer may come in pieces`() {
        var flow = flow(.tcpConnect)
        #expect(flow.step(.connected, at: 7).isEmpty && flow.requests == [0])
        flow.transport.echo()
        let answer = flow.transport.incoming[0]
        flow.transport.incoming = [Array(answer[..<20])]
        #expect(flow.step(.readable, at: 8).isEmpty)
        flow.transport.incoming = [Array(answer[20...])]
        #expect(flow.step(.readable, at: 9) == [.firstAnswer, .ended(.survived)])
        #expect(flow.model.figures(at: playedTime(9), .survived).latency == .milliseconds(7))
    }

    @Test func `a request that the buffer takes in pieces is sent whole`() {
        var flow = flow(.httpRequest)
        flow.transport.room = 10
        flow.step(.connected, at: 1)
        #expect(flow.model.wantsToSend)
        flow.transport.room = .max
        flow.step(.writable, at: 2)
        #expect(
            flow.transport.sentText
                == "GET /x HTTP/1.1\r\nHost: 192.0.2.7\r\nUser-Agent: failoverlab\r\nConnection: close\r\n\r\n")
        #expect(!flow.model.wantsToSend)
    }

    @Test func `a status below 400 survives, and a higher one is a refusal with its reason`() {
        let good = http("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(good.events == [.firstAnswer, .ended(.survived)])
        #expect(good.model.figures(at: playedTime(9), .survived).status == 204)
        let bad = http("HTTP/1.1 503 No\r\nContent-Length: 0\r\nX-Balancer-Reason: no member\r\n\r\n")
        #expect(bad.ending == FlowEnding(outcome: .refused, reason: "status 503: no member"))
    }

    @Test func `an answer without a length ends with its connection, and no answer with it is a reset`() {
        #expect(http("HTTP/1.1 200 OK\r\n\r\nx").ending == nil)
        #expect(http("HTTP/1.1 200 OK\r\n\r\nx", closes: true).ending == .survived)
        #expect(http("HTTP/1.1 2", closes: true).ending == .closedByPeer)
        #expect(http("220 ftp\r\n\r\n\r\n\r\n").ending == FlowEnding(outcome: .reset, reason: "the answer is no HTTP"))
    }

    @Test func `the timeout runs from the first SYN, and states what was missing`() {
        var unconnected = flow(.tcpConnect)
        unconnected.run(until: 200)
        #expect(unconnected.ending?.reason == "no connection for 0.1 seconds, the application's patience")
        var silent = flow(.tcpConnect)
        silent.step(.connected, at: 60)
        silent.run(until: 200)
        #expect(silent.ending?.reason == "no answer for 0.1 seconds, the application's patience")
    }

    @Test func `a handshake and an answer that are there when the time is over count`() {
        var shaken = flow(.tcpConnect, exchanges: false)
        shaken.transport.handshake = .complete
        shaken.step(.time, at: 100)
        #expect(shaken.ending == .survived)
        var refused = flow(.tcpConnect)
        refused.transport.handshake = .failed(FlowEnding(outcome: .refused, reason: "Connection refused"))
        refused.step(.time, at: 100)
        #expect(refused.ending?.outcome == .refused)
        var answered = flow(.tcpConnect)
        answered.step(.connected, at: 10)
        answered.transport.echo()
        answered.step(.time, at: 100)
        #expect(answered.ending == .survived)
    }

    // MARK: Kept connections and repetitions

    private static func http(_ options: HTTPRequestTraffic) -> PlayedFlow<ConnectionModel> {
        PlayedFlow(ConnectionModel(.played(playedProgram(.httpRequest, options: options)), at: playedTime(0)))
    }

    private static let reset = FlowEnding(outcome: .reset, reason: "Connection reset by peer")

    @Test func `a request whose connection fails before an answer is repeated, as often as it may be`() {
        var flow = Self.http(HTTPRequestTraffic(usesTLS: false, retries: 1))
        flow.step(.connected, at: 5)
        let request = flow.transport.sentText
        #expect(flow.step(.failed(Self.reset), at: 6) == [.connection(.open)])
        flow.transport.sent = []
        flow.step(.connected, at: 8)
        #expect(flow.transport.sentText == request)
        #expect(flow.step(.failed(Self.reset), at: 9) == [.ended(Self.reset)])
        #expect(flow.model.figures(at: playedTime(9), Self.reset).reading.sent == 1)
    }

    @Test func `a request is not repeated after an answer has begun, nor for its timeout`() {
        var begun = Self.http(HTTPRequestTraffic(usesTLS: false, retries: 3))
        begun.step(.connected, at: 5)
        begun.transport.incoming = [Array("HTTP/1.1 2".utf8)]
        begun.transport.ending = .endOfStream
        #expect(begun.step(.readable, at: 6) == [.ended(.closedByPeer)])
        var silent = Self.http(HTTPRequestTraffic(usesTLS: false, retries: 3))
        silent.step(.connected, at: 5)
        silent.run(until: 200)
        #expect(silent.ending?.outcome == .timedOut)
    }

    @Test func `a body has its length, by the number of the flow, and a kept connection is asked for`() {
        var flow = Self.http(
            HTTPRequestTraffic(path: "/x", usesTLS: false, method: .post, bodies: [3, 5], reuses: true))
        flow.step(.connected, at: 5)
        let head = """
            POST /x HTTP/1.1\r\nHost: 192.0.2.7\r\nUser-Agent: failoverlab\r\n\
            Content-Type: application/octet-stream\r\nContent-Length: 3\r\n\r\n
            """
        #expect(flow.transport.sent == [Array(head.utf8) + [0, 1, 2]])
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nA: b\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false),
    ])
    func `a connection is kept after a whole answer that allows it`(answer: String, isKept: Bool) {
        for reuses in [true, false] {
            var flow = Self.http(HTTPRequestTraffic(usesTLS: false, reuses: reuses))
            flow.step(.connected, at: 5)
            flow.transport.incoming = [Array(answer.utf8)]
            flow.step(.readable, at: 6)
            #expect(flow.ending != nil && flow.model.leavesConnectionUsable == (isKept && reuses))
        }
        var unsent = Self.http(HTTPRequestTraffic(usesTLS: false, method: .post, bodies: [9], reuses: true))
        unsent.transport.room = 50
        unsent.step(.connected, at: 5)
        unsent.transport.incoming = [Array(answer.utf8)]
        unsent.step(.readable, at: 6)
        #expect(!unsent.model.leavesConnectionUsable, "the rest of the request would follow")
    }

    @Test func `it has asked already, so that finishing changes nothing`() {
        var flow = flow(.tcpConnect)
        #expect(flow.step(.finish, at: 1).isEmpty && flow.model.deadline == playedTime(100))
    }
}

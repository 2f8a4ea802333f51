import LabTime
import Measurement
import TestTexts
import Testing

@testable import TrafficModel

/// Every input in every phase of the flows. `Tables/*.txt` have a line for each pair.
struct FlowOutcomeTests {
    private func compare<Model>(_ file: String, _ table: FlowOutcomeTable<Model>) throws {
        try RecordedText("TrafficModelTests", "Tables/\(file)").compare { _ in try table.text() }
    }

    private static func made<Model>(
        _ model: Model, _ steps: (inout PlayedFlow<Model>) -> Void = { _ in }
    ) -> PlayedFlow<Model> {
        var flow = PlayedFlow(model)
        steps(&flow)
        return flow
    }

    // MARK: tcp-stream

    @Test func `a stream`() throws {
        typealias Setup = FlowOutcomeTable<StreamModel>.Setup
        func flow(_ steps: (inout PlayedFlow<StreamModel>) -> Void = { _ in }) -> PlayedFlow<StreamModel> {
            Self.made(
                StreamModel(.played(playedProgram(.tcpStream)), offset: .milliseconds(5), at: playedTime(0)), steps)
        }
        let setups = [
            Setup(name: "connecting", phase: "connecting") { flow() },
            Setup(name: "connecting, to finish", phase: "connecting") { flow { $0.step(.finish, at: 1) } },
            Setup(name: "asking, before the first request", phase: "asking") { flow { $0.step(.connected, at: 38) } },
            Setup(name: "asking, unanswered", phase: "asking") {
                flow {
                    $0.step(.connected, at: 30)
                    $0.step(.time, at: 35)
                }
            },
            Setup(name: "asking, the send buffer is full", phase: "asking") {
                flow {
                    $0.transport.room = 40
                    $0.step(.connected, at: 20)
                    $0.run(until: 35)
                }
            },
            Setup(name: "finishing, unanswered", phase: "finishing") {
                flow {
                    $0.step(.connected, at: 30)
                    $0.step(.time, at: 35)
                    $0.step(.finish, at: 36)
                }
            },
            Setup(name: "finishing, all answered", phase: "finishing") {
                flow {
                    $0.step(.connected, at: 30)
                    $0.run(until: 36, echoes: true)
                    $0.step(.finish, at: 37)
                }
            },
            Setup(name: "ended", phase: "ended") {
                flow {
                    $0.step(.connected, at: 30)
                    $0.transport.ending = .endOfStream
                    $0.step(.readable, at: 31)
                    $0.transport.ending = .wouldBlock
                }
            },
        ]
        try compare("Stream.txt", FlowOutcomeTable(setups: setups, phase: Self.name))
    }

    private static func name(_ model: StreamModel) -> String {
        switch model.phase {
        case .connecting: "connecting"
        case .asking: "asking"
        case .retiring: "retiring"
        case .waiting: "waiting"
        case .finishing: "finishing"
        case .ended: "ended"
        }
    }

    @Test func `a stream that reconnects`() throws {
        typealias Setup = FlowOutcomeTable<StreamModel>.Setup
        let options = TCPStreamTraffic(
            reconnect: Reconnect(after: .milliseconds(20), atMost: .milliseconds(50)), maximumAge: .milliseconds(8))
        func flow(_ steps: (inout PlayedFlow<StreamModel>) -> Void = { _ in }) -> PlayedFlow<StreamModel> {
            Self.made(
                StreamModel(.played(playedProgram(.tcpStream, options: options)), offset: .zero, at: playedTime(0)),
                steps)
        }
        func lost(_ flow: inout PlayedFlow<StreamModel>) {
            flow.step(.connected, at: 25)
            flow.step(.failed(FlowEnding(outcome: .reset)), at: 27)
        }
        let setups = [
            Setup(name: "connecting", phase: "connecting") { flow() },
            Setup(name: "asking", phase: "asking") { flow { $0.step(.connected, at: 38) } },
            Setup(name: "retiring, unanswered", phase: "retiring") {
                flow {
                    $0.step(.connected, at: 20)
                    $0.run(until: 28)
                }
            },
            Setup(name: "waiting", phase: "waiting") { flow { lost(&$0) } },
            Setup(name: "connecting again", phase: "connecting") {
                flow {
                    $0.step(.connected, at: 5)
                    $0.step(.failed(FlowEnding(outcome: .reset)), at: 6)
                    $0.run(until: 38)
                }
            },
            Setup(name: "finishing, unanswered", phase: "finishing") {
                flow {
                    $0.step(.connected, at: 38)
                    $0.step(.finish, at: 39)
                }
            },
            Setup(name: "ended", phase: "ended") {
                flow {
                    lost(&$0)
                    $0.step(.finish, at: 28)
                }
            },
        ]
        try compare("Reconnecting.txt", FlowOutcomeTable(setups: setups, phase: Self.name))
    }

    // MARK: udp

    @Test func `datagrams`() throws {
        typealias Setup = FlowOutcomeTable<DatagramModel>.Setup
        func flow(_ steps: (inout PlayedFlow<DatagramModel>) -> Void = { _ in }) -> PlayedFlow<DatagramModel> {
            Self.made(DatagramModel(.played(playedProgram(.udp)), offset: .milliseconds(5), at: playedTime(0)), steps)
        }
        let setups = [
            Setup(name: "asking, before the first request", phase: "asking") { flow() },
            Setup(name: "asking, unanswered", phase: "asking") { flow { $0.run(until: 38) } },
            Setup(name: "asking, all answered", phase: "asking") { flow { $0.run(until: 38, echoes: true) } },
            Setup(name: "rebinding", phase: "rebinding") {
                Self.made(
                    DatagramModel(
                        .played(playedProgram(.udp, options: UDPTraffic(rebinding: .after(.milliseconds(30))))),
                        offset: .zero, at: playedTime(0))
                ) { $0.run(until: 38) }
            },
            Setup(name: "finishing, unanswered", phase: "finishing") {
                flow {
                    $0.run(until: 38)
                    $0.step(.finish, at: 39)
                }
            },
            Setup(name: "finishing, all answered", phase: "finishing") {
                flow {
                    $0.run(until: 38, echoes: true)
                    $0.step(.finish, at: 39)
                }
            },
            Setup(name: "ended", phase: "ended") {
                flow {
                    $0.transport.ending = .failed(FlowEnding(outcome: .refused))
                    $0.step(.readable, at: 31)
                    $0.transport.ending = .wouldBlock
                }
            },
        ]
        try compare(
            "Datagrams.txt",
            FlowOutcomeTable(setups: setups) {
                switch $0.phase {
                case .asking: "asking"
                case .rebinding: "rebinding"
                case .finishing: "finishing"
                case .ended: "ended"
                }
            })
    }

    // MARK: udp-request

    @Test func `a request`() throws {
        typealias Setup = FlowOutcomeTable<RequestModel>.Setup
        func flow(_ steps: (inout PlayedFlow<RequestModel>) -> Void = { _ in }) -> PlayedFlow<RequestModel> {
            Self.made(RequestModel(.played(playedProgram(.udpRequest)), at: playedTime(0)), steps)
        }
        let setups = [
            Setup(name: "asking, before the first request", phase: "asking") { flow() },
            Setup(name: "asking", phase: "asking") { flow { $0.run(until: 38) } },
            Setup(name: "ended", phase: "ended") {
                flow {
                    $0.run(until: 38, echoes: true)
                }
            },
        ]
        try compare(
            "Request.txt",
            FlowOutcomeTable(setups: setups) {
                switch $0.phase {
                case .asking: "asking"
                case .ended: "ended"
                }
            })
    }

    // MARK: dns

    @Test func `a lookup`() throws {
        typealias Setup = FlowOutcomeTable<DNSModel>.Setup
        func flow(
            reopens: Bool = false, _ steps: (inout PlayedFlow<DNSModel>) -> Void = { _ in }
        ) -> PlayedFlow<DNSModel> {
            let options = DNSTraffic(
                .localhost, records: [.address, .ipv6Address], tryTimeout: .milliseconds(30), reopens: reopens)
            return Self.made(DNSModel(.played(playedProgram(.dns, options: options)), at: playedTime(0)), steps)
        }
        func answersFirst(_ flow: inout PlayedFlow<DNSModel>) {
            flow.step(.time, at: 0)
            flow.transport.incoming = [DNSAnswer.bytes(to: flow.transport.sent[0])]
            flow.step(.readable, at: 1)
        }
        let setups = [
            Setup(name: "asking, before the first query", phase: "asking together") { flow() },
            Setup(name: "asking", phase: "asking together") { flow { $0.step(.time, at: 15) } },
            Setup(name: "asking, half answered", phase: "asking together") {
                flow {
                    $0.step(.time, at: 15)
                    $0.transport.incoming = [DNSAnswer.bytes(to: $0.transport.sent[0])]
                    $0.step(.readable, at: 16)
                }
            },
            Setup(name: "asking one after the other", phase: "asking inTurn") {
                flow {
                    answersFirst(&$0)
                    $0.transport.sent = []
                    $0.run(until: 38)
                }
            },
            Setup(name: "opening, for the second query", phase: "opening reopening") {
                flow(reopens: true) { answersFirst(&$0) }
            },
            Setup(name: "ended", phase: "ended") {
                flow {
                    $0.step(.time, at: 30)
                    $0.transport.incoming = $0.transport.sent.map { DNSAnswer.bytes(to: $0) }
                    $0.step(.readable, at: 31)
                }
            },
        ]
        try compare(
            "DNS.txt",
            FlowOutcomeTable(setups: setups) {
                switch $0.phase {
                case .asking: "asking \($0.order)"
                case .opening: "opening \($0.order)"
                case .ended: "ended"
                }
            } answer: { transport in
                transport.sent.map { DNSAnswer.bytes(to: $0) }
            })
    }

    // MARK: tcp-connect, http-request

    private static func name(_ model: ConnectionModel) -> String {
        switch model.phase {
        case .connecting: "connecting"
        case .awaiting: "awaiting"
        case .ended: "ended"
        }
    }

    private static func connectionSetups(
        _ kind: TrafficProgram.Kind, exchanges: Bool
    ) -> [FlowOutcomeTable<ConnectionModel>.Setup] {
        func flow(_ steps: (inout PlayedFlow<ConnectionModel>) -> Void = { _ in }) -> PlayedFlow<ConnectionModel> {
            made(ConnectionModel(.played(playedProgram(kind, exchanges: exchanges)), at: playedTime(0)), steps)
        }
        let setups: [FlowOutcomeTable<ConnectionModel>.Setup] = [
            .init(name: "connecting", phase: "connecting") { flow() },
            .init(name: "awaiting", phase: "awaiting") { flow { $0.step(.connected, at: 30) } },
            .init(name: "awaiting, the send buffer is full", phase: "awaiting") {
                flow {
                    $0.transport.room = 10
                    $0.step(.connected, at: 30)
                }
            },
            .init(name: "ended", phase: "ended") { flow { $0.run(until: 100) } },
        ]
        return exchanges ? setups : [setups[0], setups[3]]
    }

    @Test func `a connection with a record`() throws {
        try compare(
            "Connection.txt",
            FlowOutcomeTable(setups: Self.connectionSetups(.tcpConnect, exchanges: true), phase: Self.name))
    }

    @Test func `a connection alone`() throws {
        try compare(
            "ConnectionAlone.txt",
            FlowOutcomeTable(setups: Self.connectionSetups(.tcpConnect, exchanges: false), phase: Self.name))
    }

    @Test func `a connection with an HTTP request`() throws {
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        try compare(
            "HTTPRequest.txt",
            FlowOutcomeTable(
                setups: Self.connectionSetups(.httpRequest, exchanges: true), phase: Self.name,
                answer: { _ in [answer] }))
    }
}

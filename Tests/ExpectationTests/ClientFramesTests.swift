import Evidence
import Expectation
import LabTime
import Measurement
import Testing
import Wire

/// What a client says must agree with the frames on its interface.
struct ClientFramesTests {
    private static func scene(
        _ flow: FlowResult, _ kind: TrafficProgram.Kind = .tcpStream, requests: Int = 0, answers: Int = 0,
        _ change: (inout TrafficProgram) -> Void = { _ in }
    ) -> Scene {
        var scene = Scene()
        var program = Scene.program("app", kind)
        change(&program)
        scene.traffic = [TrafficResult(program: program, flows: [flow], late: 0)]
        for number in 0..<requests {
            scene.request(at: 1 + Double(number) / 100, from: Scene.macA, port: flow.sourcePort)
        }
        for number in 0..<answers {
            scene.answer(at: 1.001 + Double(number) / 100, to: Scene.macA, port: flow.sourcePort)
        }
        return scene
    }

    private static func evaluate(_ scene: Scene, _ outcome: FlowOutcome? = .survived) -> ExpectationResult {
        scene.evaluate(.traffic(TrafficExpectation(traffic: "app", outcome: outcome)))
    }

    private static func flow(_ received: Int, _ outcome: FlowOutcome = .survived, duplicated: Int = 0) -> FlowResult {
        Scene.flow(40000, outcome, sent: 10, received: received, duplicated: duplicated)
    }

    @Test func `a flow that survived without a frame on any wire is inconclusive`() {
        let result = Self.evaluate(Self.scene(Self.flow(10)))
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen
                == "1 of 1 flow survived, but the client reports that 192.0.2.10:40000 had 10 answers, but captures/client.outside.pcap has no frame to the server of it"
        )
    }

    @Test func `requests without answers, and fewer bytes than were answered, are inconclusive`() {
        #expect(Self.evaluate(Self.scene(Self.flow(10), requests: 10)).verdict == .inconclusive)
        #expect(Self.evaluate(Self.scene(Self.flow(10), requests: 10, answers: 9)).verdict == .inconclusive)
        #expect(Self.evaluate(Self.scene(Self.flow(10), requests: 9, answers: 10)).verdict == .inconclusive)
        #expect(Self.evaluate(Self.scene(Self.flow(10), requests: 10, answers: 10)).verdict == .pass)
        #expect(Self.evaluate(Self.scene(Self.flow(10), requests: 12, answers: 11)).verdict == .pass)
    }

    @Test func `answers of a flow that did not survive must have passed, too`() {
        #expect(Self.evaluate(Self.scene(Self.flow(5, .timedOut), requests: 5, answers: 5), .timedOut).verdict == .pass)
        #expect(
            Self.evaluate(Self.scene(Self.flow(5, .timedOut), requests: 5, answers: 4), .timedOut).verdict
                == .inconclusive
        )
        // Who never had an answer may have waited for its gateway's address, and have sent nothing.
        #expect(Self.evaluate(Self.scene(Self.flow(0, .timedOut)), .timedOut).verdict == .pass)
    }

    @Test func `a client that is contradicted does not fail an expectation, either`() {
        #expect(Self.evaluate(Self.scene(Self.flow(10)), .timedOut).verdict == .inconclusive)
    }

    @Test func `frames of other flows, of other programs and of other protocols are not its own`() {
        var scene = Self.scene(Self.flow(1))
        scene.request(at: 1.1, from: Scene.macA, port: 40001)
        scene.answer(at: 1.2, to: Scene.macA, port: 40001)
        #expect(Self.evaluate(scene).verdict == .inconclusive)
        scene.traffic.append(
            TrafficResult(program: Scene.program("other"), flows: [Scene.flow(40000, start: 1)], late: 0))
        scene.request(at: 1.3, from: Scene.macA)
        scene.answer(at: 1.4, to: Scene.macA)
        #expect(Self.evaluate(scene).verdict == .inconclusive, "the port was another program's by then")
        var datagrams = Self.scene(Self.flow(1), .udp, requests: 1, answers: 1)
        #expect(Self.evaluate(datagrams).verdict == .inconclusive)
        for (from, to, ports) in [(Scene.client, Scene.server, (40000, 80)), (Scene.server, Scene.client, (80, 40000))]
        {
            datagrams.add(
                at: 2,
                FrameBytes.ethernet(
                    to: Scene.macA, from: Scene.macB,
                    FrameBytes.ipv4(
                        from: from, to: to, proto: 17,
                        FrameBytes.udp(UInt16(ports.0), UInt16(ports.1), payload: 32))))
        }
        #expect(Self.evaluate(datagrams).verdict == .pass)
    }

    @Test func `answers that came twice must have passed twice`() {
        func datagrams(_ answers: Int) -> Scene {
            var scene = Self.scene(Self.flow(1, duplicated: 1), .udp)
            let frames =
                [(Scene.client, Scene.server, 40000, 80)]
                + Array(
                    repeating: (Scene.server, Scene.client, 80, 40000), count: answers)
            for (from, to, source, destination) in frames {
                scene.add(
                    at: 2,
                    FrameBytes.ethernet(
                        to: Scene.macA, from: Scene.macB,
                        FrameBytes.ipv4(
                            from: from, to: to, proto: 17,
                            FrameBytes.udp(UInt16(source), UInt16(destination), payload: 32))))
            }
            return scene
        }
        let twice = ExpectationSpecification.Subject.traffic(
            TrafficExpectation(traffic: "app", outcome: .survived, duplicated: .init(.equal, 1)))
        #expect(datagrams(1).evaluate(twice).verdict == .inconclusive)
        #expect(datagrams(2).evaluate(twice).verdict == .pass)
        #expect(Self.evaluate(datagrams(2)).verdict == .fail, "nobody expects that an answer comes twice")
    }

    // MARK: Several ends

    /// A stream of 40000 that goes on from 40001.
    private static func reconnected(_ reconnects: Int = 1, isAnswered: Bool = true) -> FlowResult {
        var flow = flow(10)
        flow.laterEnds = [
            FlowEnd(source: flow.source, sourcePort: 40001, start: Scene.at(2), isAnswered: isAnswered)
        ]
        flow.reconnects = reconnects
        flow.longestDisconnection = .milliseconds(300)
        return flow
    }

    /// Five requests and answers at the first end, and so many at the second.
    private static func scene(_ flow: FlowResult, later: Int) -> Scene {
        var scene = scene(flow, requests: 5, answers: 5) {
            $0.options = TCPStreamTraffic(reconnect: Reconnect())
        }
        for number in 0..<later {
            scene.request(at: 2.1 + Double(number) / 100, from: Scene.macA, port: 40001)
            scene.answer(at: 2.105 + Double(number) / 100, to: Scene.macA, port: 40001)
        }
        return scene
    }

    @Test func `frames of each end are those of the flow`() {
        #expect(Self.evaluate(Self.scene(Self.reconnected(), later: 5)).verdict == .pass)
        let short = Self.evaluate(Self.scene(Self.reconnected(), later: 4))
        #expect(short.verdict == .inconclusive && short.seen.contains("bytes to the server"), "\(short.seen)")
        let proof = Self.evaluate(Self.scene(Self.reconnected(), later: 5)).wiresharkFilter
        #expect(proof == "ip.addr == 192.0.2.10 && tcp.port in {40000, 40001}")
    }

    @Test func `a connection that the client reports and no frame shows is inconclusive`() {
        let missing = Self.evaluate(Self.scene(Self.reconnected(), later: 0))
        #expect(missing.verdict == .inconclusive)
        #expect(missing.seen.contains("has no frame to its further end 192.0.2.10:40001"), "\(missing.seen)")
        let claimed = Self.evaluate(Self.scene(Self.reconnected(2), later: 5))
        #expect(claimed.verdict == .inconclusive)
        #expect(claimed.seen.contains("of 2 connections after an error it names 1"), "\(claimed.seen)")
        // An attempt that failed may have left nothing.
        var flow = Self.reconnected(0, isAnswered: false)
        flow.received = 5
        #expect(Self.evaluate(Self.scene(flow, later: 0)).verdict == .pass)
    }

    /// A lookup that asked for A from 40000, and for AAAA from 40001.
    @Test func `of a lookup each answer passed as a datagram, at the end that asked for it`() throws {
        var flow = Scene.flow(40000, sent: 2, received: 2)
        flow.laterEnds = [FlowEnd(source: flow.source, sourcePort: 40001, start: Scene.at(2), isAnswered: true)]
        func scene(_ ports: [(Int, Int)]) -> Scene {
            var scene = Self.scene(flow, .dns) { $0.port = 53 }
            for (index, (source, destination)) in ports.enumerated() {
                let isRequest = destination == 53
                scene.add(
                    at: 1 + Double(index),
                    FrameBytes.ethernet(
                        to: Scene.macA, from: Scene.macB,
                        FrameBytes.ipv4(
                            from: isRequest ? Scene.client : Scene.server, to: isRequest ? Scene.server : Scene.client,
                            proto: 17, FrameBytes.udp(UInt16(source), UInt16(destination), payload: 34))))
            }
            return scene
        }
        let all = [(40000, 53), (53, 40000), (40001, 53), (53, 40001)]
        let result = Self.evaluate(scene(all))
        #expect(result.verdict == .pass, "\(result.seen)")
        #expect(result.wiresharkFilter == "ip.addr == 192.0.2.10 && udp.port in {40000, 40001}")
        #expect(result.frames.count == 2)
        let short = Self.evaluate(scene(Array(all.dropLast())))
        #expect(short.verdict == .inconclusive && short.seen.contains("40001"), "\(short.seen)")
    }

    @Test func `reconnects and the time without a connection are expected like other figures`() {
        let scene = Self.scene(Self.reconnected(), later: 5)
        func evaluate(_ expectation: TrafficExpectation) -> ExpectationResult { scene.evaluate(.traffic(expectation)) }
        let both = TrafficExpectation(
            traffic: "app", outcome: .survived, reconnects: .init(.equal, 1),
            longestDisconnection: .init(.less, .milliseconds(301)))
        let result = evaluate(both)
        #expect(result.verdict == .pass)
        #expect(
            result.seen == "1 of 1 flow survived, at most 300 ms without a connection, 1 reconnects", "\(result.seen)")
        #expect(evaluate(TrafficExpectation(traffic: "app", reconnects: .init(.equal, 0))).verdict == .fail)
        #expect(
            evaluate(TrafficExpectation(traffic: "app", longestDisconnection: .init(.less, .milliseconds(300)))).verdict
                == .fail)
        var silent = Self.reconnected(0)
        (silent.received, silent.laterEnds, silent.longestDisconnection) = (0, nil, .zero)
        let nothing = Self.scene(silent, requests: 1, answers: 0)
        #expect(
            nothing.evaluate(.traffic(TrafficExpectation(traffic: "app", reconnects: .init(.equal, 0)))).verdict
                == .inconclusive, "without an answer nothing could fail")
    }

    @Test func `a connection without an exchange has a handshake alone`() {
        var scene = Self.scene(Scene.flow(40000, sent: 1, received: 1), .tcpConnect) {
            $0.options = TCPConnectTraffic(exchanges: false)
        }
        scene.request(at: 1, from: Scene.macA, flags: 0x02, payload: 0)
        #expect(Self.evaluate(scene).verdict == .inconclusive)
        scene.answer(at: 1.01, to: Scene.macA, flags: 0x12, payload: 0)
        #expect(Self.evaluate(scene).verdict == .pass)
    }

    @Test func `a call of an own address never leaves its node`() {
        var flow = Self.flow(10)
        flow.source = IPAddress(Scene.server)!
        #expect(Self.evaluate(Self.scene(flow)).verdict == .pass)
    }

    @Test func `a client that the lab does not capture is believed, and nothing more can be proven`() {
        var scene = Self.scene(Self.flow(10))
        scene.clientIsCaptured = false
        #expect(Self.evaluate(scene).verdict == .pass)
    }

    @Test func `a capture that lost frames is named as the possible reason`() {
        var scene = Self.scene(Self.flow(10), requests: 10, answers: 9)
        scene.droppedAtClient = 3
        let result = Self.evaluate(scene)
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen.hasSuffix(
                "captures/client.outside.pcap lacks 3 frames that the kernel dropped, which may be these"),
            "\(result.seen)")
        scene = Self.scene(Self.flow(10), requests: 10, answers: 10)
        scene.droppedAtClient = 3
        #expect(Self.evaluate(scene).verdict == .pass, "everything is there that the client says")
    }

    @Test func `later fragments hide bytes, so that bytes are not counted`() {
        var scene = Self.scene(Self.flow(10), requests: 1, answers: 1)
        #expect(Self.evaluate(scene).verdict == .inconclusive)
        scene.add(
            at: 1.5,
            FrameBytes.ethernet(
                to: Scene.macA, from: Scene.macB,
                FrameBytes.ipv4(from: Scene.server, to: Scene.client, proto: 6, fragmentOffset: 4, [1, 2, 3, 4])))
        #expect(Self.evaluate(scene).verdict == .pass)
    }

    @Test func `the figures of a file may be any number`() {
        let flow = Scene.flow(40000, sent: .max, received: .max, duplicated: .max)
        #expect(Self.evaluate(Self.scene(flow, requests: 1, answers: 1)).verdict == .inconclusive)
        #expect(Self.evaluate(Self.scene(flow, .udp, requests: 1, answers: 1)).verdict == .inconclusive)
    }
}

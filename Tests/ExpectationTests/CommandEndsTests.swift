import Evidence
import Expectation
import LabTime
import Measurement
import Testing
import Wire

/// What a command says must agree with frames of its node to the target, whichever ports it took.
struct CommandEndsTests {
    private static func run(
        _ outcome: FlowOutcome = .survived, start: Double = 1, end: Double = 2, values: [String: Double]? = nil
    ) -> FlowResult {
        let received = outcome == .survived ? 1 : 0
        var flow = Scene.flow(0, outcome, start: start, end: end, sent: 1, received: received)
        flow.exit = outcome == .survived ? 0 : 7
        flow.values = values
        return flow
    }

    private static func scene(_ runs: [FlowResult], _ command: CommandTraffic = CommandTraffic(["curl"])) -> Scene {
        var scene = Scene()
        var program = Scene.program("get", .command, every: .seconds(1))
        program.options = command
        scene.traffic = [TrafficResult(program: program, flows: runs, late: 0)]
        return scene
    }

    private static func evaluate(_ scene: Scene, _ outcome: FlowOutcome = .survived) -> ExpectationResult {
        scene.evaluate(.traffic(TrafficExpectation(traffic: "get", outcome: outcome)))
    }

    @Test func `a run that succeeded without a frame to its target is inconclusive`() {
        let result = Self.evaluate(Self.scene([Self.run()]))
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen.hasSuffix(
                "but the client reports that the run that began at 2026-11-21T08:30:01.000000000Z had 1 answer, "
                    + "but captures/client.outside.pcap has no frame to the server of it"), "\(result.seen)")
        // Of a failure, too: the network may have no part in it.
        let failed = Self.evaluate(Self.scene([Self.run(.failed)]), .failed)
        #expect(
            failed.verdict == .inconclusive && failed.seen.hasSuffix("it sent nothing to its target"), "\(failed.seen)")
        #expect(Self.evaluate(Self.scene([Self.run(.failed)])).verdict == .fail)
    }

    @Test func `a connection to the target, from any port, with an answer bears it out`() {
        var scene = Self.scene([Self.run()])
        scene.connection(at: 1.1, port: 51000)
        let result = Self.evaluate(scene)
        #expect(result.verdict == .pass, "\(result.seen)")
        #expect(result.wiresharkFilter == "ip.addr == 192.0.2.10 && tcp.port == 51000")
        #expect(result.frames.map(\.number) == [1, 2])
    }

    @Test func `frames before and after the run, and of no new connection, are not its own`() {
        for time in [0.5, 2.5] {
            var scene = Self.scene([Self.run()])
            scene.connection(at: time, port: 51000)
            #expect(Self.evaluate(scene).verdict == .inconclusive, "at \(time)")
        }
        var scene = Self.scene([Self.run()])
        scene.request(at: 1.1, from: Scene.macA, port: 51000)
        scene.answer(at: 1.2, to: Scene.macA, port: 51000)
        #expect(Self.evaluate(scene).verdict == .inconclusive, "no SYN")
        var unanswered = Self.scene([Self.run()])
        unanswered.request(at: 1.1, from: Scene.macA, port: 51000, flags: 0x02, payload: 0)
        #expect(Self.evaluate(unanswered).verdict == .inconclusive)
    }

    @Test func `connections of programs that know their ports are not a command's`() {
        var scene = Self.scene([Self.run()])
        scene.traffic.append(
            TrafficResult(
                program: Scene.program("app", .tcpConnect), flows: [Scene.flow(51000, start: 1.05, end: 1.5)], late: 0))
        scene.connection(at: 1.06, port: 51000)
        #expect(Self.evaluate(scene).verdict == .inconclusive)
        scene.traffic[1].flows = [Scene.flow(51000, start: 0.5, end: 0.9)]
        #expect(Self.evaluate(scene).verdict == .pass, "the port was free again")
    }

    @Test func `runs at the same time need a connection with an answer each`() {
        let runs = [Self.run(), Self.run(start: 1.01), Self.run(.failed, start: 1.02)]
        func scene(_ answered: Int, _ silent: Int = 0) -> Scene {
            var scene = Self.scene(runs)
            for number in 0..<silent {
                scene.request(at: 1.1, from: Scene.macA, port: UInt16(50000 + number), flags: 0x02, payload: 0)
            }
            for number in 0..<answered { scene.connection(at: 1.2, port: UInt16(51000 + number)) }
            return scene
        }
        func verdict(_ scene: Scene) -> ExpectationVerdict {
            scene.evaluate(.traffic(TrafficExpectation(traffic: "get", lost: .init(.equal, 1)))).verdict
        }
        #expect(verdict(scene(2, 1)) == .pass)
        #expect(verdict(scene(2)) == .inconclusive, "the run that failed sent nothing")
        #expect(verdict(scene(1)) == .inconclusive && verdict(scene(1, 2)) == .inconclusive)
    }

    @Test func `runs that overlap in part leave no run without its connection`() {
        let runs = [Self.run(end: 1.15), Self.run(start: 1.1, end: 1.25), Self.run(.failed, start: 1.1, end: 1.8)]
        var scene = Self.scene(runs)
        for (number, time) in [1.11, 1.12, 1.2].enumerated() {
            scene.connection(at: time, port: UInt16(51000 + number))
        }
        let lost = ExpectationSpecification.Subject.traffic(
            TrafficExpectation(traffic: "get", lost: .init(.equal, 1)))
        #expect(scene.evaluate(lost).verdict == .pass, "\(scene.evaluate(lost).seen)")
    }

    @Test func `runs one after the other have their own ends, and a run may have several`() {
        var scene = Self.scene([Self.run(start: 1, end: 1.4), Self.run(start: 1.5, end: 1.9)])
        for (time, port) in [(1.1, 51000), (1.2, 51001), (1.6, 51000)] {
            scene.connection(at: time, port: UInt16(port))
        }
        #expect(Self.evaluate(scene).verdict == .pass)
        var one = Self.scene([Self.run(start: 1, end: 1.4), Self.run(start: 1.5, end: 1.9)])
        for (time, port) in [(1.1, 51000), (1.2, 51001)] { one.connection(at: time, port: UInt16(port)) }
        #expect(Self.evaluate(one).verdict == .inconclusive)
        let frames = scene.evaluate(
            .count(.init(.equal, 3), [FieldCheck.equals("tcp.flags", "SYN")]), of: "get", .toServer)
        #expect(frames.verdict == .pass, "\(frames.seen)")
    }

    @Test func `a command that is to fail needs a frame to its target alone`() {
        var flow = Self.run()
        flow.exit = 28
        var scene = Self.scene([flow], CommandTraffic(["curl"], exits: [28]))
        #expect(Self.evaluate(scene).verdict == .inconclusive)
        scene.request(at: 1.1, from: Scene.macA, port: 51000, flags: 0x02, payload: 0)
        #expect(Self.evaluate(scene).verdict == .pass)
    }

    @Test func `datagrams are its own where it speaks UDP`() {
        var scene = Self.scene([Self.run()], CommandTraffic(["dig"], carrier: .udp))
        scene.connection(at: 1.1, port: 51000)
        #expect(Self.evaluate(scene).verdict == .inconclusive, "TCP")
        for (time, from, to, ports) in [
            (1.2, Scene.client, Scene.server, (51000, 80)), (1.3, Scene.server, Scene.client, (80, 51000)),
        ] {
            scene.add(
                at: time,
                FrameBytes.ethernet(
                    to: Scene.macA, from: Scene.macB,
                    FrameBytes.ipv4(
                        from: from, to: to, proto: 17,
                        FrameBytes.udp(UInt16(ports.0), UInt16(ports.1), payload: 32))))
        }
        #expect(Self.evaluate(scene).verdict == .pass)
    }

    // MARK: Values

    private static func evaluated(_ runs: [FlowResult], _ wanted: Comparison<Double>) -> ExpectationResult {
        var scene = scene(runs)
        scene.clientIsCaptured = false
        return scene.evaluate(
            .traffic(TrafficExpectation(traffic: "get", values: [.init(name: "rate", value: wanted)])))
    }

    @Test func `a value holds where it holds in every run that succeeded`() {
        let runs = [Self.run(values: ["rate": 100]), Self.run(values: ["rate": 120.5]), Self.run(.failed)]
        let result = Self.evaluated(runs, .init(.greater, 99))
        #expect(result.verdict == .pass && result.seen == "rate 100 to 120.5 in 2 of 2 runs that succeeded")
        #expect(result.expected == "of each run of get rate > 99")
        #expect(Self.evaluated(runs, .init(.greater, 100)).verdict == .fail)
    }

    @Test func `a run that succeeds without the value, and none with it, fail`() {
        let lacking = Self.evaluated([Self.run(values: ["rate": 100]), Self.run(values: [:])], .init(.greater, 1))
        #expect(
            lacking.verdict == .fail && lacking.seen.contains("in 1 of 2 runs that succeeded, the first one without it")
        )
        let none = Self.evaluated([Self.run(.failed)], .init(.greater, 1))
        #expect(none.verdict == .fail && none.seen == "no run that succeeded printed rate")
    }
}

extension Scene {
    /// SYN, SYN-ACK, a request and its answer.
    fileprivate mutating func connection(at seconds: Double, port: UInt16) {
        request(at: seconds, from: Scene.macA, port: port, flags: 0x02, payload: 0)
        answer(at: seconds + 0.001, to: Scene.macA, port: port, flags: 0x12, payload: 0)
        request(at: seconds + 0.002, from: Scene.macA, port: port)
        answer(at: seconds + 0.003, to: Scene.macA, port: port)
    }
}

import Evidence
import Expectation
import LabTime
import Measurement
import Testing

struct TrafficExpectationTests {
    private static func evaluate(
        _ flows: [FlowResult], _ expectation: TrafficExpectation, kind: TrafficProgram.Kind = .tcpStream, late: Int = 0
    ) -> ExpectationResult {
        var scene = Scene()
        scene.clientIsCaptured = false
        scene.traffic = [
            TrafficResult(program: Scene.program(expectation.traffic, kind), flows: flows, late: late)
        ]
        return scene.evaluate(.traffic(expectation))
    }

    private static let survived = Scene.flow(40000, gap: (1, .milliseconds(310)))
    private static let timedOut = Scene.flow(
        40001, .timedOut, end: 3, sent: 200, received: 50, duplicated: 1, reordered: 2, gap: (1, .seconds(2)))

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var expectation: TrafficExpectation
        var bearsOut: [FlowResult]
        var breaks: [FlowResult]
    }

    @Test(arguments: [
        Case(
            testDescription: "survives", expectation: TrafficExpectation(traffic: "t", outcome: .survived),
            bearsOut: [survived, survived], breaks: [survived, timedOut]),
        Case(
            testDescription: "times out", expectation: TrafficExpectation(traffic: "t", outcome: .timedOut),
            bearsOut: [timedOut], breaks: [timedOut, survived]),
        Case(
            testDescription: "reset", expectation: TrafficExpectation(traffic: "t", outcome: .reset),
            bearsOut: [Scene.flow(1, .reset)], breaks: [Scene.flow(1, .refused)]),
        Case(
            testDescription: "fails", expectation: TrafficExpectation(traffic: "t", fails: true),
            bearsOut: [timedOut, Scene.flow(1, .refused)], breaks: [timedOut, survived]),
        Case(
            testDescription: "gap below a bound",
            expectation: TrafficExpectation(traffic: "t", longestGap: .init(.less, .seconds(1))),
            bearsOut: [survived], breaks: [survived, Scene.flow(1, gap: (1, .seconds(1)))]),
        Case(
            testDescription: "a gap that never ended is above every bound",
            expectation: TrafficExpectation(traffic: "t", longestGap: .init(.less, .seconds(60))),
            bearsOut: [survived], breaks: [survived, timedOut]),
        Case(
            testDescription: "gap above a bound",
            expectation: TrafficExpectation(traffic: "t", longestGap: .init(.greaterOrEqual, .seconds(3))),
            bearsOut: [survived, timedOut], breaks: [survived]),
        Case(
            testDescription: "lost", expectation: TrafficExpectation(traffic: "t", lost: .init(.equal, 0)),
            bearsOut: [survived], breaks: [survived, Scene.flow(2, received: 99)]),
        Case(
            testDescription: "a share that chance explains",
            expectation: TrafficExpectation(traffic: "t", randomLoss: RandomLoss(share: 0.5, confidence: 0.99)),
            bearsOut: (1...20).map { Scene.flow(UInt16($0), $0 % 3 == 0 ? .timedOut : .survived) },
            breaks: (1...20).map { Scene.flow(UInt16($0), $0 % 10 == 0 ? .timedOut : .survived) }),
        Case(
            testDescription: "lost over all flows",
            expectation: TrafficExpectation(traffic: "t", lost: .init(.less, 3)),
            bearsOut: [Scene.flow(1, received: 99), Scene.flow(2, received: 99)],
            breaks: [Scene.flow(1, received: 98), Scene.flow(2, received: 99)]),
        Case(
            testDescription: "duplicated", expectation: TrafficExpectation(traffic: "t", duplicated: .init(.equal, 0)),
            bearsOut: [survived], breaks: [timedOut]),
        Case(
            testDescription: "reordered",
            expectation: TrafficExpectation(traffic: "t", reordered: .init(.lessOrEqual, 1)),
            bearsOut: [Scene.flow(1, reordered: 1)], breaks: [timedOut]),
        Case(
            testDescription: "several conditions",
            expectation: TrafficExpectation(
                traffic: "t", outcome: .survived, longestGap: .init(.less, .seconds(1)), lost: .init(.equal, 0)),
            bearsOut: [survived], breaks: [survived, Scene.flow(2, received: 99, gap: (1, .milliseconds(10)))]),
        Case(
            testDescription: "after an event",
            expectation: TrafficExpectation(traffic: "t", outcome: .survived, after: Anchor(event: "failover")),
            bearsOut: [timedOut, Scene.flow(1, start: 1.5)],
            breaks: [survived, Scene.flow(1, .timedOut, start: 1.5)]),
        Case(
            testDescription: "before an event",
            expectation: TrafficExpectation(traffic: "t", fails: true, before: Anchor(event: "failover")),
            bearsOut: [timedOut, Scene.flow(1, start: 1)], breaks: [survived, Scene.flow(1, .refused, start: 1)]),
        Case(
            testDescription: "any flow at all", expectation: TrafficExpectation(traffic: "t"), bearsOut: [timedOut],
            breaks: []),
    ])
    func `a condition passes on what bears it out and fails on what breaks it`(example: Case) {
        let passed = Self.evaluate(example.bearsOut, example.expectation)
        #expect(passed.verdict == .pass, "\(passed.seen)")
        let failed = Self.evaluate(example.breaks, example.expectation)
        #expect(failed.verdict == .fail, "\(failed.seen)")
    }

    @Test func `what was expected and seen is one sentence each`() {
        let result = Self.evaluate(
            [Self.survived, Self.timedOut],
            TrafficExpectation(
                traffic: "existing", outcome: .survived, longestGap: .init(.less, .seconds(1)), lost: .init(.equal, 0),
                before: Anchor(event: "failover")), late: 3)
        #expect(
            result.expected
                == "every flow of existing survives, and longest gap of existing < 1 s, and lost of existing = 0 (flows that started before failover)"
        )
        #expect(
            result.seen
                == "1 of 2 flows survived, 1 timed-out, first of them 192.0.2.10:40001 timed-out, no answer for the last 2 s, 150 lost of 300, 3 probes were sent late because the machine was busy"
        )
    }

    @Test func `a flow with fewer than two answers has no gap to evaluate`() {
        let result = Self.evaluate(
            [Scene.flow(1, sent: 1, received: 1)],
            TrafficExpectation(traffic: "t", longestGap: .init(.less, .seconds(1))))
        #expect(result.verdict == .inconclusive)
    }

    @Test func `no flow in the window fails and reports which came nearest`() {
        let result = Self.evaluate(
            [Scene.flow(40000, start: 0.5), Scene.flow(40001, start: 0.75)],
            TrafficExpectation(traffic: "new", outcome: .survived, after: Anchor(event: "failover")))
        #expect(result.verdict == .fail)
        #expect(
            result.seen
                == "none of its 2 flows started then; the nearest, 192.0.2.10:40001, started 250 ms before that window")
    }

    @Test func `traffic that left no result, and an event that never happened`() {
        var scene = Scene()
        #expect(scene.evaluate(.traffic(TrafficExpectation(traffic: "t"))).verdict == .inconclusive)
        scene.traffic = [TrafficResult(program: Scene.program("t"), flows: [Self.survived], late: 0)]
        let result = scene.evaluate(.traffic(TrafficExpectation(traffic: "t", after: Anchor(event: "dawn"))))
        #expect(result.verdict == .fail)
        #expect(result.seen.hasPrefix("event dawn never happened"))
    }

    @Test func `traffic without flows fails, with the program's own reason`() {
        var scene = Scene()
        scene.traffic = [
            TrafficResult(program: Scene.program("t"), flows: [], late: 0, skipped: 4, problem: "no port was left")
        ]
        let result = scene.evaluate(.traffic(TrafficExpectation(traffic: "t", fails: true)))
        #expect(result.verdict == .fail)
        #expect(result.seen == "t opened no flow: no port was left")
    }

    // MARK: Probes

    @Test func `of probes the gap lies between those that succeeded, also where the first ones failed`() {
        let probes = [
            Scene.flow(1, .timedOut, start: 0, end: 2), Scene.flow(2, start: 0.25, end: 0.26),
            Scene.flow(3, start: 0.3, end: 0.31),
        ]
        let figures = TrafficFigures(of: probes, program: Scene.program("new", .tcpConnect))
        #expect(figures.longestSilence?.length == .milliseconds(260))
        #expect(figures.longestSilence?.isOver == true)
    }

    @Test func `probes that fail until the end are a gap that did not end`() {
        let probes = [
            Scene.flow(1, start: 0, end: 0.01), Scene.flow(2, .timedOut, start: 0.5, end: 2.5),
            Scene.flow(3, .timedOut, start: 1, end: 3),
        ]
        let figures = TrafficFigures(of: probes, program: Scene.program("new", .tcpConnect))
        #expect(figures.longestSilence?.isOver == false)
        #expect(figures.longestSilence?.length == .milliseconds(2990))
        #expect(figures.longestSilence?.flow.sourcePort == 2)
    }

    @Test func `a failed probe whose timeout ended after later probes succeeded is a gap that ended`() {
        let probes = [
            Scene.flow(1, start: 0, end: 0.01), Scene.flow(2, .timedOut, start: 0.5, end: 2.5),
            Scene.flow(3, start: 1, end: 1.01),
        ]
        let figures = TrafficFigures(of: probes, program: Scene.program("new", .tcpConnect))
        #expect(figures.longestSilence?.isOver == true)
        #expect(figures.longestSilence?.length == .seconds(1))
    }

    // MARK: Frames

    @Test func `a survived gap is shown by the answers around it at the client`() {
        var scene = Scene()
        scene.traffic = [
            TrafficResult(
                program: Scene.program("existing"), flows: [Scene.flow(40000, gap: (1.0005, .milliseconds(310)))],
                late: 0)
        ]
        scene.answer(at: 1, to: Scene.macA)
        scene.request(at: 1.05, from: Scene.macA)
        scene.answer(at: 1.1, to: Scene.macA, flags: 0x10, payload: 0)
        scene.answer(at: 1.2, to: Scene.macA, port: 50000)
        scene.answer(at: 1.31, to: Scene.macB)
        let result = scene.evaluate(.traffic(TrafficExpectation(traffic: "existing", outcome: .survived)))
        #expect(result.frames.map(\.number) == [1, 5])
        #expect(result.frames.allSatisfy { $0.capture == Scene.outsidePath })
        #expect(result.frames.map(\.role) == ["last answer before the gap", "first answer after it"])
        #expect(result.frames.last?.moment?.description == "+0.310 s after failover")
        #expect(result.wiresharkFilter == "ip.addr == 192.0.2.10 && tcp.port == 40000")
    }

    @Test func `a flow that timed out is shown by the last frame of each direction`() {
        var scene = Scene()
        scene.traffic = [
            TrafficResult(program: Scene.program("existing"), flows: [Scene.flow(40000, .timedOut)], late: 0)
        ]
        scene.answer(at: 1, to: Scene.macA)
        scene.request(at: 1.05, from: Scene.macA)
        scene.request(at: 1.5, from: Scene.macA)
        let result = scene.evaluate(.traffic(TrafficExpectation(traffic: "existing", outcome: .timedOut)))
        #expect(result.frames.map(\.number) == [1, 3])
    }

    @Test func `traffic with no capture at its client is evaluated by what the client saw`() {
        let result = Self.evaluate([Self.survived], TrafficExpectation(traffic: "t", outcome: .survived))
        #expect(result.verdict == .pass)
        #expect(result.frames.isEmpty)
    }
}

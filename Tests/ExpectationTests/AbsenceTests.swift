import Evidence
import Expectation
import LabTime
import Measurement
import Testing
import Wire

/// Nothing passes for nothing: what is absent must have been able to be seen.
struct AbsenceTests {
    private static let failover = Anchor(event: "failover")
    private static let nothing: [FrameExpectation.Requirement] = [
        .none([]), .none([.toward(Scene.macA)]), .count(.init(.equal, 0), []), .count(.init(.less, 5), []),
        .count(.init(.lessOrEqual, 0), [.toward(Scene.macA)]),
    ]

    /// Requests and answers before and after the failover.
    private static var scene: Scene {
        var scene = Scene()
        scene.traffic = [TrafficResult(program: scene.program, flows: [Scene.flow(40000)], late: 0)]
        scene.request(at: 0.8, from: Scene.macB)
        scene.request(at: 1.5, from: Scene.macB)
        scene.answer(at: 1.6, to: Scene.macB)
        scene.events.append(LabEvent(name: "app.stop", time: Scene.at(3), kind: "traffic-stop", node: "client"))
        return scene
    }

    // MARK: Frames

    @Test(arguments: nothing)
    func `a filter that matches no frame of the run proves nothing`(requirement: FrameExpectation.Requirement) {
        var scene = Self.scene
        scene.filters = ["tcp port 81": []]
        let result = scene.evaluate(requirement, match: "tcp port 81", after: Self.failover)
        #expect(result.verdict == .inconclusive)
        #expect(result.seen.contains("no frame of the run matches"), "\(result.seen)")
        #expect(result.seen.hasSuffix("name frames that must be there with 'control'"))
    }

    @Test
    func `a filter that matches at another time, or on another interface, proves that nothing passed here and now`() {
        var scene = Self.scene
        scene.filters = ["early": [1]]
        #expect(scene.evaluate(.none([]), match: "early", after: Self.failover).verdict == .pass)
        // Of the flow itself nothing passes lb.inside, but at the client.
        scene.inside.removeAll()
        scene.add(at: 1, FrameBytes.ethernet(to: Scene.macA, from: Scene.macB, type: 0x88b5, [0, 0]))
        #expect(scene.evaluate(.none([]), of: "app").verdict == .pass)
    }

    @Test func `where requests pass and nobody answers, the requests are the control of the answers`() {
        var scene = Self.scene
        scene.inside.removeLast()
        scene.outside.removeLast()
        #expect(scene.evaluate(.none([]), of: "app", .toClient).verdict == .pass)
        scene.filters = ["tcp port 81": []]
        #expect(scene.evaluate(.none([]), match: "tcp port 81", of: "app", .toClient).verdict == .inconclusive)
    }

    @Test func `a control that the lab names must be seen`() {
        var scene = Self.scene
        scene.filters = ["icmp": [], "tcp dst port 80": [1, 2], "late": [3]]
        func evaluate(_ control: FrameControl) -> ExpectationResult {
            scene.evaluate(.none([]), match: "icmp", after: Self.failover, within: .seconds(1), control: control)
        }
        #expect(evaluate(FrameControl(match: "tcp dst port 80")).verdict == .pass)
        #expect(evaluate(FrameControl(flowsOf: "app", direction: .toClient)).verdict == .pass)
        #expect(evaluate(FrameControl(node: "client", interface: "outside", match: "tcp dst port 80")).verdict == .pass)
        let missing = evaluate(FrameControl(match: "icmp"))
        #expect(missing.verdict == .inconclusive)
        #expect(
            missing.seen
                == "no such frame; but no frame on lb.inside matching 'icmp' after failover and within 1 s, which is the control"
        )
        // The window of the expectation is the control's, unless it has one of its own.
        let early = Anchor(event: "failover", offset: .milliseconds(550))
        #expect(evaluate(FrameControl(match: "tcp dst port 80", after: early)).verdict == .inconclusive)
        #expect(evaluate(FrameControl(match: "late", after: early)).verdict == .pass)
        #expect(evaluate(FrameControl(node: "fw-c", match: "late")).verdict == .inconclusive)
    }

    @Test func `a window that begins after the end of the run, or ends after it, proves nothing`() {
        let hour = Anchor(event: "failover", offset: .seconds(3600))
        for requirement in Self.nothing {
            let after = Self.scene.evaluate(requirement, after: hour)
            #expect(after.verdict == .inconclusive)
            #expect(after.seen.contains("begins 3598 s after the end of the run"), "\(after.seen)")
            let long = Self.scene.evaluate(requirement, after: Anchor(event: "app.stop"), within: .seconds(5))
            #expect(long.verdict == .inconclusive)
        }
        let whole = Self.scene.evaluate(
            .none([]), after: Anchor(event: "failover", offset: .seconds(1)), within: .seconds(1))
        #expect(whole.verdict == .pass)
    }

    @Test func `frames after the last event show that the captures were open`() {
        var scene = Self.scene
        scene.request(at: 5, from: Scene.macB)
        #expect(
            scene.evaluate(.none([.toward(Scene.macA)]), after: Anchor(event: "app.stop"), within: .seconds(2)).verdict
                == .pass)
    }

    // MARK: Events

    private static func evaluate(
        _ scene: Scene, after: Anchor? = nil, within: Duration? = nil, reporter: String? = "fw-a"
    ) -> ExpectationResult {
        scene.evaluate(
            .event(
                EventExpectation(
                    event: "fw-a.backup", count: .init(.equal, 0), after: after, within: within, reporter: reporter)))
    }

    @Test func `an event is absent where its node has reported something since`() {
        // fw-a reported that it is active, long before the failover.
        #expect(Self.evaluate(Self.scene).verdict == .pass)
        let silent = Self.evaluate(Self.scene, after: Self.failover)
        #expect(silent.verdict == .inconclusive)
        #expect(
            silent.seen
                == "it did not happen; but fw-a, which would report it, has reported nothing since failover, and left no counters"
        )
        var scene = Self.scene
        scene.counters = ["fw-a": ["frames.received": 7]]
        #expect(Self.evaluate(scene, after: Self.failover).verdict == .pass)
        scene = Self.scene
        scene.events.append(LabEvent(name: "fw-a.peer-up", time: Scene.at(2), kind: "peer-up", node: "fw-a"))
        #expect(Self.evaluate(scene, after: Self.failover).verdict == .pass)
        // What the supervisor did to the node is not the node's word.
        #expect(Self.evaluate(Self.scene, reporter: "fw-c").verdict == .inconclusive)
        #expect(Self.evaluate(Self.scene, reporter: nil).verdict == .pass)
    }

    @Test func `an event's window lies within the run`() {
        var scene = Self.scene
        scene.counters = ["fw-a": ["frames.received": 7]]
        #expect(Self.evaluate(scene, after: Self.failover, within: .seconds(2)).verdict == .pass)
        #expect(Self.evaluate(scene, after: Self.failover, within: .seconds(9)).verdict == .inconclusive)
        #expect(Self.evaluate(scene, after: Anchor(event: "failover", offset: .seconds(3600))).verdict == .inconclusive)
    }

    // MARK: Counters, logs, traffic, flows that are carried over

    @Test func `a counter is low where its node counts at all, and has not begun anew`() {
        func evaluate(_ counters: [String: UInt64], _ events: [LabEvent] = []) -> ExpectationVerdict {
            var scene = Self.scene
            scene.counters = ["fw-b": counters]
            scene.events += events
            return scene.evaluate(
                .counter(CounterExpectation(node: "fw-b", name: "sessions.lookups", value: .init(.equal, 0)))
            ).verdict
        }
        #expect(evaluate(["sessions.lookups": 0, "frames.received": 7]) == .pass)
        #expect(evaluate(["sessions.lookups": 1, "frames.received": 7]) == .fail)
        #expect(evaluate(["sessions.lookups": 0, "frames.received": 0]) == .inconclusive)
        let back = LabEvent(name: "back", time: Scene.at(2), kind: "power-on", node: "fw-b")
        #expect(evaluate(["sessions.lookups": 0, "frames.received": 7], [back]) == .inconclusive)
    }

    @Test func `a log without a line proves nothing`() {
        for requirement in [LogExpectation.Requirement.none([]), .count(.init(.lessOrEqual, 3), [])] {
            let expectation = LogExpectation(node: "lb", requirement: requirement)
            #expect(Self.scene.evaluate(.log(expectation), logs: ["lb": []]).verdict == .inconclusive)
        }
        let line = LogLine(number: 1, time: Scene.at(1), fields: ["status": "200"])
        let hour = Anchor(event: "failover", offset: .seconds(3600))
        #expect(
            Self.scene.evaluate(
                .log(LogExpectation(node: "lb", after: hour, requirement: .none([]))), logs: ["lb": [line]]
            )
            .verdict == .inconclusive)
    }

    @Test func `figures of answers prove nothing where nobody asked or nobody answered`() {
        func evaluate(_ flow: FlowResult, _ expectation: TrafficExpectation) -> ExpectationVerdict {
            var scene = Self.scene
            scene.clientIsCaptured = false
            scene.traffic = [TrafficResult(program: Scene.program("app", .httpRequest), flows: [flow], late: 0)]
            return scene.evaluate(.traffic(expectation)).verdict
        }
        let never = TrafficExpectation(
            traffic: "app", statuses: [StatusExpectation(.status(502), .count(.init(.equal, 0)))])
        #expect(evaluate(Scene.flow(1, sent: 1, received: 1), never) == .pass)
        #expect(evaluate(Scene.flow(1, .timedOut, sent: 1, received: 0), never) == .inconclusive)
        let lossless = TrafficExpectation(traffic: "app", outcome: .survived, lost: .init(.equal, 0))
        #expect(evaluate(Scene.flow(1, sent: 1, received: 1), lossless) == .pass)
        #expect(evaluate(Scene.flow(1, sent: 0, received: 0), lossless) == .inconclusive)
    }

    @Test func `of no flow at all none is missing, which proves nothing`() {
        let place = CarryExpectation.Place(node: "lb", interface: "inside", after: Anchor(event: "app.stop"))
        let result = Self.scene.evaluate(
            .carriedOver(CarryExpectation(first: place, then: place, count: .init(.lessOrEqual, 5))))
        #expect(result.verdict == .inconclusive)
    }

    // MARK: What a lab may ask alone

    @Test func `which expectations a lab in which nothing happens would bear out`() {
        func frames(_ requirement: FrameExpectation.Requirement, _ control: FrameControl? = nil) -> Bool {
            ExpectationSpecification.Subject.frames(
                FrameExpectation(node: "lb", interface: "inside", requirement: requirement, control: control)
            ).isBorneOutByAbsence
        }
        #expect(Self.nothing.allSatisfy { frames($0) })
        #expect(!frames(.none([]), FrameControl(match: "tcp")))
        #expect(
            ![.some([]), .every([]), .first([]), .sequence([[]]), .count(.init(.greater, 0), [])].contains {
                frames($0)
            })
        func event(_ count: Comparison<Int>) -> Bool {
            ExpectationSpecification.Subject.event(EventExpectation(event: "x", count: count)).isBorneOutByAbsence
        }
        #expect(event(.init(.equal, 0)) && event(.init(.less, 3)) && !event(.init(.equal, 1)))
        func counter(_ value: Comparison<Int>) -> Bool {
            ExpectationSpecification.Subject.counter(CounterExpectation(node: "n", name: "c", value: value))
                .isBorneOutByAbsence
        }
        #expect(counter(.init(.lessOrEqual, 2)) && !counter(.init(.greater, 0)))
        func log(_ requirement: LogExpectation.Requirement) -> Bool {
            ExpectationSpecification.Subject.log(LogExpectation(node: "n", requirement: requirement))
                .isBorneOutByAbsence
        }
        #expect(log(.none([])) && log(.count(.init(.equal, 0), [])) && !log(.some([])))
        func traffic(_ expectation: TrafficExpectation) -> Bool {
            ExpectationSpecification.Subject.traffic(expectation).isBorneOutByAbsence
        }
        let few = StatusExpectation(.status(502), .share(.init(.less, 1)))
        #expect(traffic(TrafficExpectation(traffic: "t", statuses: [few])))
        #expect(traffic(TrafficExpectation(traffic: "t", duplicated: .init(.equal, 0))))
        #expect(!traffic(TrafficExpectation(traffic: "t", outcome: .timedOut)))
        #expect(!traffic(TrafficExpectation(traffic: "t", lost: .init(.equal, 0))))
        let many = StatusExpectation(.status(200), .count(.init(.greater, 8)))
        #expect(!traffic(TrafficExpectation(traffic: "t", statuses: [few, many])))
    }
}

extension Scene {
    fileprivate var program: TrafficProgram { Self.program("app") }
}

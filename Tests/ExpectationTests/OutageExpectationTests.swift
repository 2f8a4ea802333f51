import Evidence
import Expectation
import LabTime
import Measurement
import Testing
import Wire

/// `outage`: the longest time without an answer, by the client's frames.
struct OutageExpectationTests {
    /// Requests each 10 ms from 0.5 s to 2 s, answered 1 ms later, but for those from 1 s to 1.3 s.
    private static func scene(
        _ kind: TrafficProgram.Kind = .tcpStream, ports: [UInt16] = [40000], until end: Double = 2,
        isAnswered: (UInt16, Double) -> Bool = { $1 < 1 || $1 >= 1.3 }
    ) -> Scene {
        var scene = Scene()
        var flows: [FlowResult] = []
        if kind.opensFlowForEachProbe {
            for number in 0..<Int(((end - 0.5) * 100).rounded()) {
                let time = 0.5 + Double(number) / 100
                let port = 40000 + UInt16(number)
                flows.append(Scene.flow(port, start: time, end: time + 0.005))
                scene.request(at: time, from: Scene.macA, port: port)
                if isAnswered(port, time) { scene.answer(at: time + 0.001, to: Scene.macA, port: port) }
            }
        } else {
            flows = ports.map { Scene.flow($0) }
            for number in 0..<Int(((end - 0.5) * 100).rounded()) {
                let time = 0.5 + Double(number) / 100
                for port in ports {
                    scene.request(at: time, from: Scene.macA, port: port)
                    // A bare acknowledgement is no answer.
                    scene.answer(at: time + 0.0005, to: Scene.macA, port: port, flags: 0x10, payload: 0)
                    if isAnswered(port, time) { scene.answer(at: time + 0.001, to: Scene.macA, port: port) }
                }
            }
        }
        scene.traffic = [TrafficResult(program: Scene.program("app", kind), flows: flows, late: 0)]
        return scene
    }

    private static func outage(
        atMost: Duration? = nil, atLeast: Duration? = nil, after: String? = nil, before: String? = nil
    ) -> ExpectationSpecification.Subject {
        .outage(
            OutageExpectation(
                traffic: "app", atMost: atMost, atLeast: atLeast, after: after.map { Anchor(event: $0) },
                before: before.map { Anchor(event: $0) }))
    }

    @Test func `it is the time between the answers around the longest one`() {
        let scene = Self.scene()
        let result = scene.evaluate(Self.outage(atMost: .milliseconds(310)))
        #expect(result.verdict == .pass)
        #expect(result.seen == "longest outage of 192.0.2.10:40000 310 ms, with requests every 10 ms")
        #expect(result.expected == "the longest outage of app is at most 310 ms")
        #expect(result.frames.map(\.role) == ["last answer before it", "first answer after it"])
        #expect(result.frames.map(\.time) == [Scene.at(0.991), Scene.at(1.301)])
        #expect(result.frames.allSatisfy { $0.capture == Scene.outsidePath && $0.note?.contains("TCP") == true })
        #expect(scene.evaluate(Self.outage(atMost: .milliseconds(309))).verdict == .fail)
        #expect(scene.evaluate(Self.outage(atLeast: .milliseconds(310))).verdict == .pass)
        #expect(scene.evaluate(Self.outage(atLeast: .milliseconds(311))).verdict == .fail)
        let both = scene.evaluate(Self.outage(atMost: .seconds(1), atLeast: .milliseconds(500)))
        #expect(
            both.verdict == .fail && both.expected == "the longest outage of app is at least 500 ms and at most 1 s")
    }

    @Test func `of long-lived flows each counts by itself`() {
        let scene = Self.scene(ports: [40000, 40001]) { port, time in port == 40000 || time < 1 || time >= 1.3 }
        let result = scene.evaluate(Self.outage(atMost: .milliseconds(100)))
        #expect(result.verdict == .fail && result.seen.hasPrefix("longest outage of 192.0.2.10:40001 310 ms"))
    }

    @Test func `where each request is a flow, an answer to any of them ends it`() {
        let scene = Self.scene(.tcpConnect)
        let result = scene.evaluate(Self.outage(atMost: .milliseconds(309)))
        #expect(result.verdict == .fail && result.seen == "longest outage 310 ms, with requests every 10 ms")
        #expect(scene.evaluate(Self.outage(atMost: .milliseconds(310))).verdict == .pass)
    }

    @Test func `it counts with its whole length where it reaches into the window, and not elsewhere`() {
        let scene = Self.scene()
        // The last answer is from before the event.
        let during = scene.evaluate(Self.outage(atLeast: .milliseconds(310), after: "failover", before: "fw-b.active"))
        #expect(during.verdict == .pass, "\(during.seen)")
        let earlier = scene.evaluate(Self.outage(atMost: .milliseconds(20), before: "fw-a.active"))
        #expect(earlier.verdict == .inconclusive, "\(earlier.seen)")
        var late = scene
        late.events.append(LabEvent(name: "late", time: Scene.at(1.5), kind: "mark", node: nil))
        #expect(late.evaluate(Self.outage(atMost: .milliseconds(20), after: "late")).verdict == .pass)
    }

    @Test func `one that no answer ended proves a lower bound alone`() {
        let scene = Self.scene(until: 1.2) { $1 < 1 }
        let short = scene.evaluate(Self.outage(atMost: .milliseconds(100)))
        #expect(short.verdict == .fail)
        #expect(
            short.seen == "longest outage of 192.0.2.10:40000 199 ms, which no answer ended, with requests every 10 ms")
        #expect(short.frames.last?.role == "last request")
        #expect(scene.evaluate(Self.outage(atMost: .seconds(1))).verdict == .inconclusive)
        #expect(scene.evaluate(Self.outage(atLeast: .milliseconds(100))).verdict == .pass)
        #expect(scene.evaluate(Self.outage(atLeast: .seconds(1))).verdict == .inconclusive)
    }

    @Test func `who never had an answer was without one from the first request`() {
        let result = Self.scene { _, _ in false }.evaluate(Self.outage(atLeast: .seconds(1)))
        #expect(result.verdict == .pass && result.frames.first?.role == "first request", "\(result.seen)")
    }

    @Test func `without frames, without the client's capture, and with frames missing it is inconclusive`() {
        var scene = Scene()
        #expect(scene.evaluate(Self.outage(atMost: .seconds(1))).seen == "traffic app left no result")
        scene.traffic = [TrafficResult(program: Scene.program("app"), flows: [Scene.flow(40000)], late: 0)]
        let unasked = scene.evaluate(Self.outage(atMost: .seconds(1)))
        #expect(unasked.verdict == .inconclusive && unasked.seen == "no request of app was captured at client then")
        var blind = Self.scene()
        blind.clientIsCaptured = false
        #expect(blind.evaluate(Self.outage(atMost: .seconds(1))).seen == "nothing was captured at client")
        var lossy = Self.scene()
        lossy.droppedAtClient = 3
        #expect(lossy.evaluate(Self.outage(atMost: .milliseconds(1))).verdict == .inconclusive)
    }

    @Test func `an echo request is a request, its reply an answer, and of another identifier neither`() {
        var scene = Scene()
        func echo(_ type: UInt8, at time: Double, _ identifier: UInt16 = 40000) {
            var message = FrameBytes.icmp(type: type, code: 0, [UInt8](repeating: 0, count: 32))
            message[4...5] = [UInt8(identifier >> 8), UInt8(identifier & 0xff)]
            let (source, target) = type == 8 ? (Scene.client, Scene.server) : (Scene.server, Scene.client)
            scene.add(
                at: time,
                FrameBytes.ethernet(
                    to: Scene.macA, from: Scene.balancer,
                    FrameBytes.ipv4(from: source, to: target, proto: 1, message)))
        }
        for number in 0..<10 {
            echo(8, at: 1 + Double(number) / 100)
            echo(0, at: 1.001 + Double(number) / 100, number == 5 ? 40001 : 40000)
        }
        var program = Scene.program("app", .ping)
        program.port = 0
        scene.traffic = [
            TrafficResult(program: program, flows: [Scene.flow(40000, sent: 10, received: 9)], late: 0)
        ]
        #expect(scene.evaluate(Self.outage(atMost: .milliseconds(20))).verdict == .pass)
        #expect(scene.evaluate(Self.outage(atMost: .milliseconds(19))).verdict == .fail)
        let figures = scene.evaluate(.traffic(TrafficExpectation(traffic: "app", outcome: .survived)))
        #expect(figures.verdict == .pass, "\(figures.seen)")
        #expect(figures.wiresharkFilter == "ip.addr == 192.0.2.10 && icmp.ident == 40000")
        scene.traffic[0].flows[0].received = 10
        #expect(
            scene.evaluate(.traffic(TrafficExpectation(traffic: "app", lost: .init(.equal, 1)))).verdict
                == .inconclusive)
    }
}

import Evidence
import Expectation
import LabEvents
import LabTime
import Measurement
import Testing

/// What a client had beside what was asked for weighs in.
struct AnomalyTests {
    private static func evaluate(
        _ expectation: TrafficExpectation, _ flow: FlowResult, kind: TrafficProgram.Kind = .udp, skipped: Int = 0,
        problem: String? = nil, fault: EventKind? = nil
    ) -> ExpectationResult {
        var scene = Scene()
        scene.clientIsCaptured = false
        if let fault {
            scene.events.append(LabEvent(name: fault.name(of: "late"), time: Scene.at(2), kind: fault, node: nil))
        }
        scene.traffic = [
            TrafficResult(
                program: Scene.program("t", kind), flows: [flow], late: 0, skipped: skipped, problem: problem)
        ]
        return scene.evaluate(.traffic(expectation))
    }

    private static let survives = TrafficExpectation(traffic: "t", outcome: .survived)

    private static func flow(duplicated: Int = 0, reordered: Int = 0, garbage: Int = 0) -> FlowResult {
        var flow = Scene.flow(40000, duplicated: duplicated, reordered: reordered)
        flow.garbage = garbage
        return flow
    }

    @Test func `answers that came twice fail it, unless a fault repeated frames or the lab asks about them`() {
        let twice = Self.flow(duplicated: 2)
        let result = Self.evaluate(Self.survives, twice)
        #expect(result.verdict == .fail)
        #expect(
            result.seen == "1 of 1 flow survived, but 2 answers arrived twice, although no fault duplicated a frame")
        for fault in [EventKind.duplicated, .released, .dualActive] {
            #expect(Self.evaluate(Self.survives, twice, fault: fault).verdict == .pass, "\(fault)")
        }
        #expect(Self.evaluate(Self.survives, twice, fault: .lost).verdict == .fail)
        var asked = Self.survives
        asked.duplicated = .init(.equal, 2)
        #expect(Self.evaluate(asked, twice).verdict == .pass)
        #expect(Self.evaluate(Self.survives, Self.flow()).verdict == .pass)
    }

    @Test(arguments: [(TrafficProgram.Kind.udp, "1 datagram"), (.tcpStream, "1 byte")])
    func `what answers nothing fails it, unless a fault corrupted frames`(_ kind: TrafficProgram.Kind, _ words: String)
    {
        let garbled = Self.flow(garbage: 1)
        let result = Self.evaluate(Self.survives, garbled, kind: kind)
        #expect(result.verdict == .fail)
        #expect(
            result.seen
                == "1 of 1 flow survived, but \(words) arrived that answered no probe, although no fault corrupted a frame"
        )
        #expect(Self.evaluate(Self.survives, garbled, kind: kind, fault: .corrupted).verdict == .pass)
    }

    @Test func `answers out of order are reported`() {
        let result = Self.evaluate(Self.survives, Self.flow(reordered: 1))
        #expect(result.verdict == .pass)
        #expect(result.seen == "1 of 1 flow survived, 1 answer arrived out of order")
        #expect(
            !Self.evaluate(Self.survives, Self.flow(reordered: 1), fault: .delayed).seen.contains("out of order"))
    }

    @Test func `probes that were never sent leave figures undecided`() {
        let lossless = TrafficExpectation(traffic: "t", lost: .init(.equal, 0))
        let result = Self.evaluate(lossless, Self.flow(), skipped: 3, problem: "the socket's send buffer is full")
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen
                == "0 lost of 100, but 3 probes of t were never sent (the socket's send buffer is full)")
        // A flow that lived did so whatever it left out; where each probe is a flow, those that are missing did not.
        #expect(Self.evaluate(Self.survives, Self.flow(), skipped: 3).verdict == .pass)
        #expect(Self.evaluate(Self.survives, Self.flow(), kind: .udpRequest, skipped: 1).verdict == .inconclusive)
    }

    @Test func `a symptom that is proven stays proven`() {
        let dead = TrafficExpectation(traffic: "t", outcome: .timedOut)
        var flow = Scene.flow(40000, .timedOut, duplicated: 1)
        flow.garbage = 5
        #expect(Self.evaluate(dead, flow, kind: .udpRequest, skipped: 9).verdict == .pass)
        // What fails fails, whatever else there was.
        #expect(Self.evaluate(Self.survives, flow, skipped: 9).verdict == .fail)
    }
}

import Evidence
import Expectation
import LabTime
import Measurement
import Testing

/// How many answers had which status.
struct StatusExpectationTests {
    /// 96 × 200, 3 × 502, 1 without an answer.
    private static func evaluate(_ statuses: [StatusExpectation]) -> ExpectationResult {
        var flows = (0..<100).map { Scene.flow(UInt16(40_000 + $0), sent: 1, received: 1) }
        for index in flows.indices { flows[index].status = index < 96 ? 200 : 502 }
        flows[99].status = nil
        for index in 96..<99 { flows[index].outcome = .refused }
        flows[99].outcome = .timedOut
        var scene = Scene()
        scene.clientIsCaptured = false
        scene.traffic = [TrafficResult(program: Scene.program("requests", .httpRequest), flows: flows, late: 0)]
        return scene.evaluate(.traffic(TrafficExpectation(traffic: "requests", statuses: statuses)))
    }

    @Test(arguments: [
        ([StatusExpectation(.status(502), .count(.init(.greaterOrEqual, 3)))], true),
        ([StatusExpectation(.status(502), .count(.init(.less, 3)))], false),
        ([StatusExpectation(.status(502), .share(.init(.equal, 3)))], true),
        ([StatusExpectation(.status(502), .share(.init(.less, 3)))], false),
        ([StatusExpectation(.status(200), .share(.init(.greater, 95.5)))], true),
        ([StatusExpectation(.none, .count(.init(.equal, 1)))], true),
        ([StatusExpectation(.status(504), .count(.init(.equal, 0)))], true),
        (
            [
                StatusExpectation(.status(200), .count(.init(.equal, 96))),
                StatusExpectation(.status(502), .count(.init(.equal, 3))),
                StatusExpectation(.other, .count(.init(.equal, 1))),
            ], true
        ),
        (
            [
                StatusExpectation(.status(200), .count(.init(.equal, 96))),
                StatusExpectation(.none, .count(.init(.equal, 1))),
                StatusExpectation(.other, .count(.init(.equal, 0))),
            ], false
        ),
    ])
    func `counts and shares decide`(statuses: [StatusExpectation], passes: Bool) {
        #expect(Self.evaluate(statuses).verdict == (passes ? .pass : .fail))
    }

    @Test func `figures are reported with their counts`() {
        let result = Self.evaluate([
            StatusExpectation(.status(502), .share(.init(.less, 1))),
            StatusExpectation(.other, .count(.init(.equal, 97))),
        ])
        #expect(result.verdict == .fail)
        #expect(result.expected == "requests of requests get status 502 < 1 %, any other answer exactly 97 times")
        #expect(result.seen == "3 of 100 with status 502 (3 %), 97 of 100 with any other answer (97 %)")
        #expect(result.wiresharkFilter?.contains("40096") == true)
    }
}

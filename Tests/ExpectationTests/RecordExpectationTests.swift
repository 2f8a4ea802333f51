import Evidence
import Expectation
import LabTime
import Testing

/// Checks of what is told in words: details of events and lines of access logs.
struct RecordExpectationTests {
    private static var scene: Scene {
        var scene = Scene()
        scene.events += [
            LabEvent(
                name: "late-fin.held", time: Scene.at(1), kind: "held", node: "cable",
                details: ["destination-port": "4000"]),
            LabEvent(
                name: "lb.http-502", time: Scene.at(2), kind: "http-502", node: "lb",
                details: ["snat-port": "4000", "reason": "connect-timeout"]),
            LabEvent(
                name: "lb.http-502", time: Scene.at(3), kind: "http-502", node: "lb",
                details: ["snat-port": "4001", "reason": "member-reset"]),
        ]
        return scene
    }

    private static func line(_ number: Int, at seconds: Double, _ fields: [String: String]) -> LogLine {
        LogLine(number: number, time: Scene.at(seconds), fields: fields)
    }

    private static let log = [
        line(1, at: 0.5, ["status": "200", "snatPort": "4001", "totalTime": "0.002500"]),
        line(2, at: 2, ["status": "502", "snatPort": "4000", "totalTime": "1.502000", "reason": "connect-timeout"]),
        line(3, at: 3, ["status": "200", "snatPort": "4002", "totalTime": "0.003000"]),
    ]

    private static func event(
        _ with: [RecordCheck], count: Comparison<Int> = .init(.equal, 1), before: Anchor? = nil
    ) -> ExpectationResult {
        scene.evaluate(.event(EventExpectation(event: "lb.http-502", with: with, count: count, before: before)))
    }

    private static func evaluate(
        _ requirement: LogExpectation.Requirement, where selection: [RecordCheck] = [], after: Anchor? = nil,
        before: Anchor? = nil, node: String = "lb"
    ) -> ExpectationResult {
        scene.evaluate(
            .log(
                LogExpectation(
                    node: node, selection: selection, after: after, before: before, requirement: requirement)),
            logs: ["lb": log])
    }

    private static func check(_ field: String, _ condition: RecordCheck.Condition) -> RecordCheck {
        RecordCheck(field: field, condition: condition)
    }

    // MARK: Events

    @Test func `only events whose details pass are counted`() {
        #expect(Self.event([Self.check("snat-port", .isOneOf(["4000"]))]).verdict == .pass)
        #expect(Self.event([Self.check("snat-port", .isOneOf(["4000", "4001"]))]).verdict == .fail)
        #expect(Self.event([Self.check("reason", .isNoneOf(["connect-timeout"]))]).verdict == .pass)
        #expect(
            Self.event([Self.check("snat-port", .compares(.init(.greaterOrEqual, 4000)))], count: .init(.equal, 2))
                .verdict == .pass)
    }

    @Test func `a detail is compared with another event's detail`() {
        let same = [Self.check("snat-port", .isThatOf(event: "late-fin.held", detail: "destination-port"))]
        let result = Self.event(same)
        #expect(result.verdict == .pass)
        #expect(
            result.expected
                == "event lb.http-502 with snat-port = destination-port of late-fin.held happens exactly 1 time")
        #expect(result.seen == "it happened once, first at +1.000 s after failover: snat-port 4000")
    }

    @Test func `a reference to an event that never happened fails, one to a detail that it lacks decides nothing`() {
        #expect(Self.event([Self.check("snat-port", .isThatOf(event: "dawn", detail: "x"))]).verdict == .fail)
        let lacking = Self.event([Self.check("snat-port", .isThatOf(event: "late-fin.held", detail: "x"))])
        #expect(lacking.verdict == .inconclusive)
        #expect(lacking.seen == "event late-fin.held has no detail 'x'; it has destination-port")
    }

    @Test func `a detail that no such event has decides nothing, even where none is expected`() {
        let result = Self.event([Self.check("snat-prot", .isNoneOf(["4000"]))], count: .init(.equal, 0))
        #expect(result.verdict == .inconclusive)
        #expect(result.seen == "no event lb.http-502 has a detail 'snat-prot'; the first has reason, snat-port")
    }

    @Test func `events before a moment`() {
        let second = Anchor(event: "late-fin.held", offset: .milliseconds(1500))
        #expect(Self.event([], before: second).verdict == .pass)
        #expect(Self.event([], count: .init(.equal, 2), before: second).verdict == .fail)
    }

    // MARK: Logs

    @Test func `every, some, none, first and count of a log's lines`() {
        let failed = [Self.check("status", .isOneOf(["502"]))]
        let timedOut = [Self.check("reason", .isOneOf(["connect-timeout"]))]
        #expect(Self.evaluate(.every(timedOut), where: failed).verdict == .pass)
        #expect(Self.evaluate(.every(timedOut)).verdict == .fail)
        #expect(Self.evaluate(.some(failed)).verdict == .pass)
        #expect(Self.evaluate(.none(failed)).verdict == .fail)
        #expect(
            Self.evaluate(.none(failed), after: Anchor(event: "lb.http-502", offset: .milliseconds(1))).verdict == .pass
        )
        #expect(Self.evaluate(.first(failed)).verdict == .fail)
        #expect(Self.evaluate(.first(failed), after: Anchor(event: "failover")).verdict == .pass)
        #expect(Self.evaluate(.count(.init(.equal, 1), failed)).verdict == .pass)
        #expect(Self.evaluate(.count(.init(.equal, 3), [])).verdict == .pass)
        #expect(
            Self.evaluate(.count(.init(.equal, 2), []), before: Anchor(event: "lb.http-502", offset: .milliseconds(1)))
                .verdict == .pass)
    }

    @Test func `times with decimals are compared`() {
        let slow = [Self.check("totalTime", .compares(.init(.greater, 1.5)))]
        #expect(Self.evaluate(.count(.init(.equal, 1), slow)).verdict == .pass)
        #expect(
            Self.evaluate(.count(.init(.equal, 1), slow)).expected
                == "exactly 1 line of lb's access log with totalTime > 1.5")
    }

    @Test func `the line that shows it is named`() {
        let result = Self.evaluate(
            .every([Self.check("snatPort", .isThatOf(event: "late-fin.held", detail: "destination-port"))]),
            where: [Self.check("status", .isOneOf(["502"]))])
        #expect(result.verdict == .pass)
        #expect(result.seen == "all of 1 line, first line 2 at +1.000 s after failover: snatPort 4000")
    }

    @Test func `no line at all bears nothing out`() {
        let none = [Self.check("status", .isOneOf(["504"]))]
        #expect(Self.evaluate(.every([Self.check("reason", .isOneOf(["x"]))]), where: none).verdict == .fail)
        #expect(Self.evaluate(.some([]), where: none).verdict == .fail)
        #expect(Self.evaluate(.none([]), where: none).verdict == .pass)
    }

    @Test func `a log that is not there decides nothing`() {
        #expect(Self.evaluate(.none([]), node: "other").verdict == .inconclusive)
    }
}

import Evidence
import Expectation
import LabTime
import Testing

/// Events and requests that a run left out, because there were too many, decide nothing and let nothing be decided.
struct LeftOutTests {
    /// Of 1,000 events from second 2 to second 3 nobody knows what they were.
    private static var scene: Scene {
        var scene = Scene()
        let gap = RecordGap(from: Scene.at(2), to: Scene.at(3), count: 1000)
        scene.events = [
            LabEvent(name: "scenario.begin", time: Scene.at(0), kind: "begin", node: nil),
            LabEvent(name: "failover", time: Scene.at(1), kind: "switchover", node: "fw-a"),
            LabEvent(name: "fw-b.active", time: Scene.at(1.012), kind: "active", node: "fw-b"),
            LabEvent(leftOut: gap),
            LabEvent(name: "late", time: Scene.at(4), kind: "link-up", node: "fw-a"),
            LabEvent(name: "fw-b.active", time: Scene.at(4.5), kind: "active", node: "fw-b"),
        ]
        return scene
    }

    private static func evaluate(
        _ event: String, _ count: Comparison<Int>, after: String? = nil, before: String? = nil, within: Duration? = nil
    ) -> ExpectationResult {
        scene.evaluate(
            .event(
                EventExpectation(
                    event: event, count: count, after: after.map { Anchor(event: $0) },
                    before: before.map { Anchor(event: $0) }, within: within)))
    }

    @Test func `the line of what is missing is read as it was written`() {
        let gap = RecordGap(from: Scene.at(2), to: Scene.at(3), count: 1000)
        #expect(LabEvent(leftOut: gap).leftOut == gap)
        #expect(Self.scene.evidence.eventGap == gap)
        #expect(LabEvent(name: "lab.left-out", time: Scene.at(2), kind: "left-out", node: "lab").leftOut == nil)
        #expect(Scene().evidence.eventGap == nil)
    }

    @Test func `a count that missing events could change is inconclusive, whichever way it seems to go`() {
        let result = Self.evaluate("fw-b.active", .init(.equal, 2))
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen
                == "it happened 2 times, first at +1.012 s after scenario.begin; but 1000 events are missing in events.jsonl, which had grown to its limit, from +2.000 s after scenario.begin to +3.000 s after scenario.begin"
        )
        #expect(Self.evaluate("fw-b.active", .init(.equal, 7)).verdict == .inconclusive)
        #expect(Self.evaluate("fw-a.backup", .init(.equal, 0)).verdict == .inconclusive)
        #expect(Self.evaluate("fw-b.active", .init(.lessOrEqual, 5)).verdict == .inconclusive)
        #expect(Self.evaluate("fw-b.active", .init(.greater, 2)).verdict == .inconclusive)
    }

    @Test func `what missing events cannot change is decided`() {
        #expect(Self.evaluate("fw-b.active", .init(.greaterOrEqual, 1)).verdict == .pass)
        #expect(Self.evaluate("fw-b.active", .init(.equal, 1)).verdict == .fail)
        #expect(Self.evaluate("fw-b.active", .init(.less, 2)).verdict == .fail)
        #expect(Self.evaluate("fw-b.active", .init(.greater, 2000)).verdict == .fail)
        // A window that ends before they begin.
        let window = Self.evaluate("fw-b.active", .init(.equal, 1), after: "failover", within: .milliseconds(500))
        #expect(window.verdict == .pass, "\(window.seen)")
    }

    @Test func `an anchor whose first occurrence may be missing decides nothing`() {
        #expect(Self.evaluate("fw-b.active", .init(.equal, 1), after: "late").verdict == .inconclusive)
        #expect(Self.evaluate("fw-b.active", .init(.equal, 1), after: "dawn").verdict == .inconclusive)
        let result = Self.evaluate("fw-b.active", .init(.equal, 1), after: "late")
        #expect(result.seen.hasSuffix("the first event late may be one of them"), "\(result.seen)")
        // Its first is there, before they begin.
        #expect(Self.evaluate("late", .init(.greaterOrEqual, 1), after: "failover").verdict == .pass)
        // As the end of a window that begins before: an earlier one may be missing.
        #expect(
            Self.evaluate("fw-b.active", .init(.equal, 1), after: "failover", before: "late").verdict == .inconclusive)
    }

    private static func log(_ requirement: LogExpectation.Requirement, after: String? = nil) -> ExpectationVerdict {
        var evidence = Scene().evidence
        evidence.logs = [
            "lb": [(1, 0.5, "200"), (2, 1.5, "502"), (3, 4.0, "200")].map { number, second, status in
                LogLine(number: number, time: Scene.at(second), fields: ["status": status])
            }
        ]
        evidence.logGaps = ["lb": RecordGap(from: Scene.at(2), to: Scene.at(3), count: 10)]
        let expectation = LogExpectation(
            node: "lb", after: after.map { Anchor(event: $0) }, within: after == nil ? nil : .milliseconds(800),
            requirement: requirement)
        return ExpectationEvaluator(evidence).evaluate(
            ExpectationSpecification(id: "x", subject: .log(expectation))
        ).verdict
    }

    @Test func `requests that are missing decide an access log's expectations neither way`() {
        func status(_ value: String) -> [RecordCheck] { [RecordCheck(field: "status", condition: .isOneOf([value]))] }
        #expect(Self.log(.every(status("200"))) == .fail)
        #expect(Self.log(.every([])) == .inconclusive)
        #expect(Self.log(.some(status("502"))) == .pass)
        #expect(Self.log(.some(status("503"))) == .inconclusive)
        #expect(Self.log(.none(status("503"))) == .inconclusive)
        #expect(Self.log(.none(status("502"))) == .fail)
        #expect(Self.log(.count(.init(.equal, 1), status("502"))) == .inconclusive)
        #expect(Self.log(.count(.init(.greaterOrEqual, 1), status("502"))) == .pass)
        #expect(Self.log(.count(.init(.equal, 0), status("502"))) == .fail)
        #expect(Self.log(.first(status("200"))) == .pass)
        // A window before them.
        #expect(Self.log(.every(status("502")), after: "failover") == .pass)
    }
}

/// What a node's kernel reported too fast decides nothing either.
struct KernelGapTests {
    private static var scene: Scene {
        var scene = Scene()
        scene.events = [
            LabEvent(name: "scenario.begin", time: Scene.at(0), kind: "begin", node: nil),
            LabEvent(name: "r1.route-added", time: Scene.at(1), kind: "route-added", node: "r1"),
            LabEvent(
                name: "r1.kernel-events-lost", time: Scene.at(2), kind: "kernel-events-lost", node: "r1",
                details: ["what": "route-added, route-removed", "reason": "limit", "to": "\(Scene.at(3))"]),
            LabEvent(name: "r1.route-removed", time: Scene.at(4), kind: "route-removed", node: "r1"),
            LabEvent(name: "late", time: Scene.at(5), kind: "link-up", node: "r1"),
        ]
        return scene
    }

    private static func evaluate(_ event: String, _ count: Comparison<Int>, after: String? = nil) -> ExpectationResult {
        scene.evaluate(
            .event(
                EventExpectation(
                    event: event, count: count, after: after.map { Anchor(event: $0) }, reporter: "r1")))
    }

    @Test func `a count of events that may be missing is inconclusive, and says why`() {
        let result = Self.evaluate("r1.route-added", .init(.equal, 1))
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen.hasSuffix(
                "; but events of r1's kernel may be missing from +2.000 s after scenario.begin to +3.000 s after scenario.begin, when there were more than are recorded"
            ), "\(result.seen)")
        #expect(Self.evaluate("r1.route-added", .init(.greaterOrEqual, 1)).verdict == .pass)
        #expect(Self.evaluate("r1.route-added", .init(.equal, 1), after: "late").verdict == .fail)
        // Of another kind, or another node, nothing is missing.
        #expect(Self.evaluate("r1.address-added", .init(.equal, 0)).verdict == .pass)
        #expect(Self.evaluate("r2.route-added", .init(.equal, 1)).verdict == .fail)
    }

    @Test func `the first of its name may be missing where a window begins with it`() {
        #expect(Self.evaluate("late", .init(.equal, 1), after: "r1.route-removed").verdict == .inconclusive)
        #expect(Self.evaluate("late", .init(.equal, 1), after: "r1.route-added").verdict == .pass)
    }
}

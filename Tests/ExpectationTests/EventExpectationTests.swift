import Evidence
import Expectation
import Testing

struct EventExpectationTests {
    private static func evaluate(
        _ event: String, _ count: Comparison<Int>, after: Anchor? = nil, within: Duration? = nil
    ) -> ExpectationResult {
        Scene().evaluate(.event(EventExpectation(event: event, count: count, after: after, within: within)))
    }

    @Test func `an event that happened as often as expected passes`() {
        let result = Self.evaluate(
            "fw-b.active", .init(.equal, 1), after: Anchor(event: "failover"), within: .milliseconds(50))
        #expect(result.verdict == .pass)
        #expect(result.expected == "event fw-b.active happens exactly 1 time after failover and within 50 ms")
        #expect(result.seen == "it happened once, first at +0.012 s after failover")
    }

    @Test func `an event outside its window is not counted, and is reported`() {
        let result = Self.evaluate(
            "fw-b.active", .init(.equal, 1), after: Anchor(event: "failover"), within: .milliseconds(5))
        #expect(result.verdict == .fail)
        #expect(result.seen == "it did not happen in that time, but at +0.012 s after failover")
    }

    @Test func `an event that must not happen`() {
        #expect(Self.evaluate("fw-a.backup", .init(.equal, 0)).verdict == .pass)
        let result = Self.evaluate("fw-b.active", .init(.equal, 0))
        #expect(result.verdict == .fail)
        #expect(result.expected == "event fw-b.active does not happen")
    }

    @Test func `an anchor that never happened fails, and a window without an anchor decides nothing`() {
        #expect(Self.evaluate("fw-b.active", .init(.equal, 0), after: Anchor(event: "dawn")).verdict == .fail)
        #expect(Self.evaluate("fw-b.active", .init(.equal, 1), within: .seconds(1)).verdict == .inconclusive)
    }
}

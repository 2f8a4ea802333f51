import Evidence
import Expectation
import LabTime
import Testing

struct BusyMachineTests {
    private static func evaluate(_ subject: ExpectationSpecification.Subject, _ delays: [ProcessDelay])
        -> ExpectationResult
    {
        var evidence = Scene().evidence
        evidence.delays = delays
        return ExpectationEvaluator(evidence).evaluate(ExpectationSpecification(id: "x", subject: subject))
    }

    private static func delay(_ process: String, at seconds: Double, _ milliseconds: Double) -> ProcessDelay {
        ProcessDelay(
            process: process, from: Scene.at(seconds), to: Scene.at(seconds + milliseconds / 1000),
            milliseconds: milliseconds)
    }

    private let tooEarly = ExpectationSpecification.Subject.event(
        EventExpectation(
            event: "fw-b.active", count: .init(.equal, 1), after: Anchor(event: "failover"), within: .milliseconds(5)))

    @Test func `a failure after a delay decides nothing, and reports what the machine did`() {
        let result = Self.evaluate(tooEarly, [Self.delay("fw-a", at: 0.9, 20), Self.delay("fw-b", at: 0.99, 480)])
        #expect(result.verdict == .inconclusive)
        #expect(
            result.seen
                == "it did not happen in that time, but at +0.012 s after failover; but the machine was busy: "
                + "fw-b ran 480 ms late at 0.010 s before failover, and so did 1 other")
    }

    @Test func `a failure stays one where nothing ran late before the end of its window`() {
        #expect(Self.evaluate(tooEarly, []).verdict == .fail)
        // The window ends 5 ms after the failover.
        #expect(Self.evaluate(tooEarly, [Self.delay("fw-b", at: 1.006, 480)]).verdict == .fail)
        #expect(Self.evaluate(tooEarly, [Self.delay("fw-b", at: 1.004, 480)]).verdict == .inconclusive)
    }

    @Test func `what has no end of its own lasts as long as the run`() {
        let never = ExpectationSpecification.Subject.event(
            EventExpectation(event: "fw-c.active", count: .init(.equal, 1)))
        #expect(Self.evaluate(never, [Self.delay("server", at: 3, 30)]).verdict == .inconclusive)
        // An anchor that never happened has no window: the whole run may be why.
        let without = ExpectationSpecification.Subject.event(
            EventExpectation(event: "fw-b.active", count: .init(.equal, 1), after: Anchor(event: "dawn")))
        #expect(Self.evaluate(without, [Self.delay("server", at: 3, 30)]).verdict == .inconclusive)
    }

    @Test func `a delay takes no pass away`() {
        let happens = ExpectationSpecification.Subject.event(
            EventExpectation(event: "fw-b.active", count: .init(.equal, 1), after: Anchor(event: "failover")))
        #expect(Self.evaluate(happens, [Self.delay("fw-b", at: 0.99, 480)]).verdict == .pass)
    }

    @Test func `a delay without a sensible length does not trap`() {
        for milliseconds in [Double.infinity, -.infinity, .nan, 1e300] {
            let result = Self.evaluate(
                tooEarly,
                [ProcessDelay(process: "x", from: Scene.at(0), to: Scene.at(1), milliseconds: milliseconds)])
            #expect(result.verdict == .inconclusive)
        }
    }
}

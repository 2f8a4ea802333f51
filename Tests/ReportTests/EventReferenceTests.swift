import Evidence
@testable import Expectation
import LabTime
@testable import Report
import Testing

/// The report shows every event that an expectation refers to, and says which of several it is.
struct EventReferenceTests {
    private static let events =
        [
            LabEvent(name: "lb.member-down", time: SampleVerdict.at(-900), kind: "member-down", node: "lb"),
            LabEvent(name: "scenario.begin", time: SampleVerdict.at(0), kind: "begin", node: nil),
        ]
        + (1...20).map {
            LabEvent(name: "gw.state-created", time: SampleVerdict.at($0), kind: "state-created", node: "gw")
        }
        + [LabEvent(name: "lb.member-down", time: SampleVerdict.at(3000), kind: "member-down", node: "lb")]

    private static func lines(_ expectation: EventExpectation) -> [String] {
        let evidence = RunEvidence(events: events, traffic: [], captures: [], source: SampleVerdict.NoFrames())
        let results = ExpectationEvaluator(evidence).evaluate([
            ExpectationSpecification(id: "x", subject: .event(expectation))
        ])
        let variant = VariantVerdict(name: "v", shows: "remedy", seconds: 1, evidence: evidence, results: results)
        let verdict = Verdict(lab: "lab", title: "Lab", variants: [variant])
        return TextReport().text(verdict).split(separator: "\n").map(String.init)
    }

    @Test func `an event from before the scenario and one behind many others are in the table`() {
        let lines = Self.lines(EventExpectation(event: "lb.member-down", count: .init(.equal, 2)))
        #expect(lines.contains { $0.contains("lb.member-down") && $0.contains("-0.900 s") }, "\(lines)")
        #expect(lines.contains { $0.contains("lb.member-down") && $0.contains("+3.000 s") }, "\(lines)")
        #expect(lines.contains { $0.contains("… and 9 more in events.jsonl") }, "\(lines)")
        #expect(
            lines.contains { $0.contains("counted lb.member-down: the 1st of 2, before the scenario began") },
            "\(lines)")
    }

    @Test func `an anchor names which of several events it is`() {
        let lines = Self.lines(
            EventExpectation(
                event: "gw.state-created", count: .init(.equal, 0),
                after: Anchor(event: "lb.member-down", offset: .milliseconds(-1))))
        #expect(lines.contains { $0.contains("after lb.member-down: the 2nd of 2") }, "\(lines)")
    }
}

import Evidence
import LabTime
import Measurement
import Testing

struct RunEvidenceTests {
    private struct NoFrames: FrameSource {
        func frames(
            of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
        ) throws {}
    }

    private static func event(_ name: String, _ nanoseconds: Int64, _ kind: String, _ node: String?) -> LabEvent {
        LabEvent(name: name, time: Timestamp(nanoseconds: nanoseconds), kind: kind, node: node)
    }

    private static let evidence = RunEvidence(
        events: [
            event("failover", 30, "switchover", "fw-a"), event("fw-b.active", 40, "active", "fw-b"),
            event("fw-a.active", 10, "active", "fw-a"), event("failover", 50, "switchover", "fw-a"),
            event("same-time", 30, "wait", nil),
        ],
        traffic: [],
        captures: [
            CaptureSummary(node: "lb", interface: "inside", path: "a", frames: 1, dropped: 0),
            CaptureSummary(node: "lb", interface: "servers", path: "b", frames: 1, dropped: 0),
        ],
        source: NoFrames())

    @Test func `events are in the order of time, and those of one instant in the order in which they came`() {
        #expect(
            Self.evidence.events.map(\.name) == ["fw-a.active", "failover", "same-time", "fw-b.active", "failover"])
    }

    @Test func `the first event of a name counts, and one that never happened is nil`() {
        #expect(Self.evidence.firstEvent(named: "failover")?.time == Timestamp(nanoseconds: 30))
        #expect(Self.evidence.firstEvent(named: "dawn") == nil)
    }

    @Test func `times are relative to the scenario's first event, not from what nodes report`() {
        #expect(Self.evidence.referenceEvent?.name == "failover")
        #expect(Self.event("fw-b.active", 0, "active", "fw-b").isOfScenario == false)
        #expect(Self.event("start", 0, "start", nil).isOfScenario)
    }

    @Test func `captures are found by node and interface`() {
        #expect(Self.evidence.captures(of: "lb", interface: "inside").map(\.path) == ["a"])
        #expect(Self.evidence.captures(of: "lb", interface: "outside").isEmpty)
    }
}

import Testing
import Topology

@testable import Scenario

/// Which events a `wait-for` counts.
struct EventMemoryTests {
    private static let steps: [ScenarioStep] = [
        .waitFor(event: "fw-a.active", within: .seconds(1)), .waitFor(event: "fw-b.active", within: .seconds(1)),
        .waitFor(event: "app.answered", within: .seconds(1)),
    ]

    @Test func `what happened while the lab came up does not count, and the message says so`() {
        var events = EventMemory(Self.steps)
        events.saw("fw-a.active")
        events.begin()
        #expect(!events.hasHappened("fw-a.active"))
        #expect(
            events.explanation(for: "fw-a.active") == "; it happened before the scenario began, which does not count")
        #expect(events.explanation(for: "fw-b.active").isEmpty)
        events.saw("fw-a.active")
        #expect(events.hasHappened("fw-a.active"))
    }

    @Test func `of several faults without a wait between them the first counts`() {
        var events = EventMemory(Self.steps)
        events.begin()
        events.saw("app.answered")
        #expect(events.hasHappened("app.answered"))
        events.beginsFault()
        #expect(!events.hasHappened("app.answered"))
        events.saw("fw-b.active")
        events.beginsFault()
        #expect(events.hasHappened("fw-b.active"))
        events.waits()
        #expect(events.hasHappened("fw-b.active"))
        events.beginsFault()
        #expect(!events.hasHappened("fw-b.active"))
    }
}

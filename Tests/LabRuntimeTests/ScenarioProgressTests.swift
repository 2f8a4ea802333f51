import Testing
import Topology

@testable import LabRuntime

/// Which events a `wait-for` counts.
struct ScenarioProgressTests {
    private static let steps: [ScenarioStep] = [
        .waitFor(event: "fw-a.active", within: .seconds(1)), .waitFor(event: "fw-b.active", within: .seconds(1)),
        .waitFor(event: "app.answered", within: .seconds(1)),
    ]

    @Test func `what happened while the lab came up does not count, and the message says so`() {
        var progress = ScenarioProgress(Self.steps)
        progress.saw("fw-a.active")
        progress.begin()
        #expect(!progress.hasHappened("fw-a.active"))
        #expect(progress.words(about: "fw-a.active") == "; it happened before the scenario began, which does not count")
        #expect(progress.words(about: "fw-b.active").isEmpty)
        progress.saw("fw-a.active")
        #expect(progress.hasHappened("fw-a.active"))
    }

    @Test func `of several faults without a wait between them the first counts`() {
        var progress = ScenarioProgress(Self.steps)
        progress.begin()
        progress.saw("app.answered")
        #expect(progress.hasHappened("app.answered"))
        progress.beginsFault()
        #expect(!progress.hasHappened("app.answered"))
        progress.saw("fw-b.active")
        progress.beginsFault()
        #expect(progress.hasHappened("fw-b.active"))
        progress.waits()
        #expect(progress.hasHappened("fw-b.active"))
        progress.beginsFault()
        #expect(!progress.hasHappened("fw-b.active"))
    }
}

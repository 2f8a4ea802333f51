import LabFile
import Testing

@testable import Topology

/// A step that could not be carried out is told before anything is built, and what to write instead.
@Suite struct `a scenario` {
    private static let scenario = """
        - start: existing
          - fail: { switchover: fw-a }
            as: failover
          - wait: 1s
        """

    /// What is wrong with the small lab when these are the steps of its scenario; the first is in line 36.
    private func messages(_ steps: String...) -> [String] {
        let text = SmallLab.replacing(Self.scenario, steps.joined(separator: "\n  "))
            .replacing("after: failover", with: "after: existing.start")
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\(error.source.path):\($0)" }
        }
    }

    @Test func `cannot power off a node while it runs its own traffic`() {
        #expect(
            messages("- start: existing", "- fail: { power-off: client }") == [
                "lab.yaml:37:24: power-off of 'client' while it runs the traffic 'existing': what its flows saw would be lost with it; allowed: a step { stop: existing } before it, link-down of its interfaces, power-off of a node that runs no traffic now"
            ])
    }

    @Test func `can power off a node whose traffic has stopped, or that serves others`() {
        #expect(messages("- start: existing", "- stop: existing", "- fail: { power-off: client }") == [])
        #expect(messages("- start: existing", "- fail: { power-off: backend-1 }") == [])
    }

    @Test func `cannot leave a node hanging that has to tell what its traffic saw`() {
        #expect(
            messages("- start: existing", "- fail: { hang: client }", "- wait: 1s") == [
                "lab.yaml:37:19: 'client' runs the traffic 'existing' and still hangs at the end, so that it could not tell what its flows saw; allowed: a step { fail: { resume: client } } after it, { stop: existing } before it"
            ])
        #expect(
            messages("- start: existing", "- fail: { hang: client }", "- stop: existing") == [
                "lab.yaml:38:11: 'existing' cannot stop and tell what it saw: 'client' hangs; allowed: after a step { fail: { resume: client } }"
            ])
    }

    @Test func `can let a node hang for a while, with or without traffic of its own`() {
        #expect(messages("- start: existing", "- fail: { hang: client }", "- fail: { resume: client }") == [])
        #expect(messages("- start: existing", "- fail: { hang: lb }") == [])
    }

    @Test func `cannot start traffic on a node that is off or hangs`() {
        #expect(
            messages("- fail: { power-off: client }", "- start: existing") == [
                "lab.yaml:37:12: 'existing' cannot start: 'client' is powered off; allowed: after a step { fail: { power-on: client } }"
            ])
        #expect(messages("- fail: { hang: client }", "- start: existing").count == 2)
        #expect(
            messages(
                "- fail: { power-off: client }", "- fail: { power-on: client }", "- start: existing") == [])
    }

    @Test func `cannot ask of a node what it is in no state to do`() {
        #expect(
            messages("- start: existing", "- fail: { power-off: fw-a }", "- fail: { switchover: fw-a }") == [
                "lab.yaml:38:25: switchover is not possible here: 'fw-a' is powered off; allowed: after a step { fail: { power-on: fw-a } }"
            ])
        #expect(
            messages("- start: existing", "- fail: { power-on: fw-a }") == [
                "lab.yaml:37:23: power-on is not possible here: 'fw-a' is not powered off"
            ])
        #expect(
            messages("- start: existing", "- fail: { resume: fw-a }") == [
                "lab.yaml:37:21: resume is not possible here: 'fw-a' does not hang"
            ])
        #expect(
            messages("- start: existing", "- fail: { power-off: fw-a }", "- { fail: { power-off: fw-a }, as: again }")
                == [
                    "lab.yaml:38:26: power-off is not possible here: 'fw-a' is powered off; allowed: after a step { fail: { power-on: fw-a } }"
                ])
        #expect(
            messages("- start: existing", "- fail: { hang: fw-a }", "- { fail: { hang: fw-a }, as: again }") == [
                "lab.yaml:38:21: hang is not possible here: 'fw-a' hangs; allowed: after a step { fail: { resume: fw-a } }"
            ])
    }
}

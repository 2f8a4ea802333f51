import Expectation
import LabFile
import Testing

@testable import Topology

/// Expectations of what must not be there, and the frames that a lab may name beside them.
struct AbsenceLabTests {
    /// The small lab with these expectations instead of its own.
    private static func lab(_ expectations: String) throws -> Lab {
        let text = SmallLab.text
        let own =
            "  - existing: timed-out\n  - frames: { on: lb.inside, match: \"tcp and src host lb/web.address\", after: failover }\n    every: { eth.dst: fw-a.inside.mac }"
        #expect(text.hasSuffix(own))
        return try Lab(parsing: text.dropLast(own.count) + expectations, path: "lab.yaml")
    }

    private static func messages(_ expectations: String) -> [String] {
        do {
            _ = try lab(expectations)
            return []
        } catch let errors as LabFileErrors {
            return errors.errors.map { "\($0)" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test(arguments: [
        "  - frames: { on: lb.inside, match: icmp }\n    none:",
        "  - frames: { on: lb.inside, match: icmp }\n    count: 0",
        "  - event: { name: fw-b.dual-active, count: 0 }\n  - event: { name: fw-a.backup, count: \"< 2\" }",
        "  - counter: { of: fw-b, name: drop.standby, is: 0 }",
        "  - existing: { duplicated: 0 }",
    ])
    func `a variant that expects only absence is known with its place, and can be read`(expectations: String) throws {
        let lab = try Self.lab(expectations)
        let absence = try #require(lab.absences.first)
        #expect(absence.variant == "default")
        #expect(absence.problem.contains("add what must be there: an outcome of traffic (app: survives)"))
        #expect(lab.variants.count == 1)
    }

    @Test(arguments: [
        "  - existing: timed-out\n  - event: { name: fw-b.dual-active, count: 0 }",
        "  - frames: { on: lb.inside, match: icmp, control: { match: tcp } }\n    none:",
        "  - event: fw-b.active\n  - counter: { of: fw-b, name: drop.standby, is: 0 }",
        "  []",
    ])
    func `one expectation of what must be there is enough, and none at all asks for nothing`(expectations: String)
        throws
    {
        #expect(try Self.lab(expectations).absences.isEmpty)
    }

    @Test func `a control has the keys of a selection, with references and defaults`() throws {
        let lab = try Self.lab(
            "  - frames: { on: lb.inside, match: icmp, after: failover, control: { on: client.outside, match: host lb/web.address, of: existing, direction: to-client, after: failover + 1ms, within: 1s } }\n    none:"
        )
        guard let read = lab.variants.first?.expectations.first?.subject.value as? FrameExpectation else {
            Issue.record("no expectation of frames")
            return
        }
        #expect(
            read.control
                == FrameControl(
                    node: "client", interface: "outside", match: "host 198.51.100.100", flowsOf: "existing",
                    direction: .toClient, after: Anchor(event: "failover", offset: .milliseconds(1)),
                    within: .seconds(1)))
        #expect(lab.filters.map(\.text).contains("host 198.51.100.100"))
        let again = try Lab(parsing: lab.variants[0].resolvedYAML, path: "lab.yaml")
        #expect(again.variants[0].expectations == lab.variants[0].expectations)
    }

    @Test func `mistakes in a control are told by line`() {
        #expect(
            Self.messages("  - frames: { on: lb.inside, control: { match: tcp } }\n    some:").first?
                .contains("'control' says what must be there where nothing else may be") == true)
        #expect(
            Self.messages("  - frames: { on: lb.inside, control: { mach: tcp } }\n    none:").first?
                .contains("unknown key 'mach' of the control of an expectation") == true)
        #expect(
            Self.messages("  - frames: { on: lb.inside, control: {} }\n    none:").first?
                .contains("'control' selects nothing") == true)
        #expect(
            Self.messages("  - frames: { on: lb.inside, control: { direction: to-client } }\n    none:").first?
                .contains("'direction' needs 'of'") == true)
        #expect(
            Self.messages("  - frames: { on: lb.inside, control: { on: lb.outside } }\n    none:").isEmpty == false)
    }

    @Test func `the scenario's begin is an event that expectations may name`() throws {
        let lab = try Self.lab("  - existing: { survives: true, after: scenario.begin + 100ms }")
        guard let read = lab.variants.first?.expectations.first?.subject.value as? TrafficExpectation else {
            Issue.record("no expectation of traffic")
            return
        }
        #expect(read.after == Anchor(event: "scenario.begin", offset: .milliseconds(100)))
    }
}

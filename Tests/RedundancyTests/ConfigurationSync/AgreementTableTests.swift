import LabTime
import TestTexts
import Testing
import Wire

@testable import Redundancy

/// Every input in every phase. `Table.txt` has the outcome of each pair.
struct AgreementTableTests {
    typealias Input = ConfigurationAgreement.Input

    private static let old = ["a", "b"].map { AgreementPair.item($0) }
    private static let new = ["a", "b", "c"].map { AgreementPair.item($0) }
    private static let other = ["a"].map { AgreementPair.item($0) }
    private static let start = Instant(nanoseconds: 0)

    private static func statement(
        _ stage: ConfigurationStatement.Stage, _ sequence: UInt64, running: [ConfigurationItem] = old,
        candidate: [ConfigurationItem] = [], transaction: UInt32 = 1, answers: UInt32 = 0
    ) -> Input {
        let differs = candidate != new
        return .statement(
            ConfigurationStatement(
                stage: stage, isActive: false, epoch: 1, sequence: sequence, transaction: transaction, answers: answers,
                running: ConfigurationDigest.of(running),
                candidate: candidate.isEmpty ? 0 : ConfigurationDigest.of(candidate),
                itemCount: differs ? candidate.count : 0, items: differs ? candidate : []))
    }

    /// How a box comes into each phase, as Backup but for `active`.
    private static let setups: [(phase: ConfigurationStatement.Stage, inputs: [Input])] = [
        (.idle, [.reception(true)]),
        (.staged, [.reception(true), .pushed(new)]),
        (.agreed, [.reception(true), .pushed(new), statement(.staged, 1, candidate: new)]),
        (.added, [.reception(true), .pushed(new), statement(.agreed, 1, candidate: new)]),
        (.active, [.reception(true), .role(isActive: true), .pushed(new), statement(.added, 1, candidate: new)]),
        (.blocked, [.reception(true), .pushed(new), statement(.staged, 1, candidate: other)]),
    ]

    private static let inputs: [(name: String, input: Input)] = [
        ("pushed", .pushed(new)), ("changed", .changed(running: other)),
        ("role Active", .role(isActive: true)),
        ("role Backup", .role(isActive: false)), ("the peer is silent", .reception(false)),
        ("the peer is received", .reception(true)), ("idle", statement(.idle, 9)),
        ("idle, in effect", statement(.idle, 9, running: new)),
        ("staged", statement(.staged, 9, candidate: new)),
        ("staged another", statement(.staged, 9, candidate: other)),
        ("agreed", statement(.agreed, 9, candidate: new)),
        ("added", statement(.added, 9, candidate: new)),
        ("active", statement(.active, 9, running: new, candidate: new)),
        ("blocked", statement(.blocked, 9, candidate: new, answers: 1)),
        ("blocked another", statement(.blocked, 9, candidate: other, answers: 7)),
        ("overtaken", statement(.idle, 0)), ("due timeout", .due(.timeout)),
        ("due statement", .due(.statement)),
    ]

    private static func outcome(_ input: Input, after setup: [Input]) -> (
        lines: [String], before: String
    ) {
        var agreement = ConfigurationAgreement(.standard(messageSize: 256), running: old, epoch: 1)
        for input in setup { agreement.step(input, at: start) }
        _ = agreement.takeActions()
        let before = "\(agreement.stage)"
        let isHandled = agreement.step(input, at: start + .milliseconds(1))
        var lines = isHandled ? [] : ["ignored"]
        lines += agreement.takeActions().map { text($0) }
        if "\(agreement.stage)" != before { lines.append("→ \(agreement.stage)") }
        return (lines, before)
    }

    private static func text(_ action: ConfigurationAgreement.Action) -> String {
        switch action {
        case .send(let statement):
            "send \(statement.stage)"
                + (statement.items.isEmpty ? "" : " with \(statement.items.count) items")
        case .activateAdditions: "activate additions"
        case .activate: "activate"
        case .rollBack: "roll back"
        case .blocked(.different(let differences)): "blocked: different in \(differences.count)"
        case .blocked(let reason): "blocked: \(reason)"
        case .completed: "completed"
        case .drifted: "drifted"
        }
    }

    @Test func `every pair of phase and input has the outcome that the table has`() throws {
        try RecordedText("RedundancyTests", "ConfigurationSync/Table.txt").compare { _ in
            var text = ["# What becomes of each input in each phase. AgreementTableTests has the inputs."]
            for (phase, setup) in Self.setups {
                text.append("\n## \(phase)")
                for (name, input) in Self.inputs {
                    let (lines, before) = Self.outcome(input, after: setup)
                    #expect(before == "\(phase)")
                    text.append(([name + ":"] + lines).joined(separator: "\n    "))
                }
            }
            return text.joined(separator: "\n") + "\n"
        }
    }
}

import LabTime
import TestTexts
import Testing

@testable import Redundancy

/// Every input in every phase. `Table.txt` has a line for each pair: the phase, the input, and what becomes of them.
struct ElectionTableTests {
    /// How a box of priority 200 comes into each phase.
    static let setups: [(phase: String, script: [String])] = [
        ("stopped", ["box decrement 150 preempts"]),
        ("starting", ["box decrement 150 preempts silent 2s", "0ms start"]),
        ("backup", ["box decrement 150 preempts", "0ms start", "1ms statement active priority 100"]),
        ("grace", ["box decrement 150 preempts", "0ms start", "1ms statement active priority 100", "61ms until"]),
        (
            "handing over",
            [
                "box decrement 150 preempts", "0ms start", "1ms statement backup priority 100",
                "2ms statement backup priority 100 knows-sessions", "3ms switchover",
            ]
        ),
        (
            "active",
            [
                "box decrement 150 preempts", "0ms start", "1ms statement backup priority 100",
                "2ms statement backup priority 100 knows-sessions",
            ]
        ),
        (
            "dual-active",
            [
                "box decrement 150 preempts", "0ms start", "1ms statement backup priority 100",
                "2ms statement active priority 100 knows-sessions",
            ]
        ),
    ]

    static let inputs =
        [
            "start", "shut-down", "advertisement priority 0", "advertisement priority 100",
            "advertisement priority 250", "advertisement priority 250 router 9", "statement backup priority 100",
            "statement backup priority 100 knows-sessions hands-over", "statement backup priority 250 requests-role",
            "statement backup priority 100 epoch 8", "statement backup priority 100 sequence 0",
            "statement backup priority 100 sequence 0 starts-over", "statement active priority 100",
            "statement active priority 250", "hello", "foreign-peer", "sessions-complete", "resync-begins",
            "resync-complete", "switchover",
            "carrier 0 down", "carrier 0 up", "tracked 0 down", "tracked 0 up", "tracked-changed down",
            "tracked-changed up", "cross-connect down", "cross-connect up",
        ] + Election.Timer.allCases.map { "due \($0)" }

    /// One row.
    private static func outcome(of input: String, after setup: [String]) throws -> (row: String, before: String) {
        var script = ElectionScript()
        for line in setup { try script.play(line) }
        let before = script.election.phase.name
        let timer = Election.Timer.allCases.first { input == "due \($0)" }
        // A timer that runs is due when it is; one that does not, now.
        let due = timer.flatMap { script.election.deadline(of: $0) }
        let time = max(script.now + .milliseconds(1), due ?? script.now) - ElectionScript.origin
        let outcome = try script.outcome(of: "\(ElectionText.of(time)) \(input)")
        return (([input + ":"] + outcome).joined(separator: "\n    "), before)
    }

    @Test func `every pair of phase and input has the outcome that the table has`() throws {
        try RecordedText("RedundancyTests", "Election/Table.txt").compare { _ in
            var text = ["# What becomes of each input in each phase. ElectionTableTests has how a box comes there."]
            for (phase, setup) in Self.setups {
                text.append("\n## \(phase)")
                for input in Self.inputs {
                    let (row, before) = try Self.outcome(of: input, after: setup)
                    #expect(before == phase)
                    text.append(row)
                }
            }
            return text.joined(separator: "\n") + "\n"
        }
    }

    @Test func `whatever happens, forwarding follows the role, and a record of two Actives ends with its phase`() throws
    {
        for (phase, setup) in Self.setups {
            for input in Self.inputs {
                let (row, _) = try Self.outcome(of: input, after: setup)
                let after = row.split(separator: "→ ").dropFirst().last.map(String.init) ?? phase
                func isActive(_ phase: String) -> Bool { ["active", "dual-active"].contains(phase) }
                let pair = Comment(rawValue: "\(phase), \(row)")
                #expect(row.contains("start forwarding") == (isActive(after) && !isActive(phase)), pair)
                #expect(row.contains("stop forwarding") == (isActive(phase) && !isActive(after)), pair)
                let opens = row.contains("report dual-active:") ? 1 : 0
                let ends = row.split(separator: "report dual-active-over:").count - 1
                let wasOpen = phase == "dual-active" ? 1 : 0
                #expect(wasOpen + opens - ends == (after == "dual-active" ? 1 : 0), pair)
                if row.contains("ignored") || row.contains("refused") {
                    #expect(row.split(separator: "\n").count == 2, pair)
                }
            }
        }
    }

    @Test func `the table has every kind of input`() throws {
        var kinds: Set<String> = []
        var script = ElectionScript()
        for input in Self.inputs {
            let input = script.input(input)
            switch try #require(input) {
            case .start: kinds.insert("start")
            case .shutDown: kinds.insert("shut down")
            case .advertisement: kinds.insert("advertisement")
            case .statement: kinds.insert("statement")
            case .hello: kinds.insert("hello")
            case .foreignPeer: kinds.insert("foreign peer")
            case .sessionsComplete: kinds.insert("sessions complete")
            case .resync: kinds.insert("resync")
            case .switchoverRequest: kinds.insert("switchover request")
            case .routerCarrier: kinds.insert("router carrier")
            case .trackedLink: kinds.insert("tracked link")
            case .trackedLinkChanged: kinds.insert("tracked link changed")
            case .crossConnectCarrier: kinds.insert("cross-connect carrier")
            case .due(let timer): kinds.insert("\(timer)")
            }
        }
        #expect(kinds.count == 13 + Election.Timer.allCases.count)
    }
}

import Foundation
import LabTime
import Testing
import Topology

@testable import Scenario

/// Every phase meets every input.
struct ScenarioTableTests {
    private typealias Phase = ScenarioPlayer.Phase

    /// How a lab comes to each phase, and the phase's name.
    private static let phases: [(name: String, steps: [String], script: String)] = [
        ("idle", ["wait: 1s"], ""),
        ("beginning", ["wait: 1s"], "0 play"),
        ("acting", ["fail: { switchover: fw-a }", "wait: 1s"], begin),
        ("pushing", ["{ push: { change: change, to: fw-a, mode: boxes } }", "wait: 1s"], begin),
        ("waiting", ["wait: 300ms", "wait: 1s"], begin),
        ("waitingForEvent", ["{ wait-for: fw-b.active, within: 300ms }", "wait: 1s"], begin),
        (
            "waitingForCounter",
            ["{ wait-for: { counter: { of: fw-b, name: sessions, is: '>= 5' } }, within: 300ms }", "wait: 1s"], begin
        ),
        ("stopping", ["start: old", "stop: old", "wait: 1s"], begin),
        ("draining", ["start: old"], begin),
        ("readingCounters", ["wait: 0s"], begin + "\n0 time"),
        ("completingCaptures", ["wait: 0s"], begin + "\n0 time\n" + counters),
        ("over", ["wait: 0s"], begin + "\n0 time\n" + counters + "\n0 captured"),
        ("ended", ["wait: 1s"], begin + "\n0 stopped"),
    ]

    private static let nodes = ["client", "server", "fw-a", "fw-b", "server.inside"]
    private static let begin = "0 play\n" + nodes.map { "0 watches \($0)" }.joined(separator: "\n")
    private static let counters = nodes.map { "0 counters \($0) sessions=7" }.joined(separator: "\n")

    private static let inputs = [
        "play", "watches client", "event fw-b.active", "hung fw-b", "failure it died", "reply 1", "finished old",
        "counters fw-b sessions=7", "captured", "request 1 power-off server", "time", "stopped",
    ]

    /// What an input does besides what it does in every phase; one that is not listed for a phase leaves it as it is.
    private static let transitions: [String: [String: String]] = [
        "idle": ["play": "beginning"],
        "beginning": ["time": "ended"],
        "acting": ["reply 1": "waiting", "time": "ended"],
        "pushing": ["reply 1": "waiting", "time": "waiting"],
        "waiting": ["time": "waiting"],
        "waitingForEvent": ["event fw-b.active": "waiting", "time": "ended"],
        "waitingForCounter": ["counters fw-b sessions=7": "waiting", "time": "ended"],
        "stopping": ["finished old": "waiting", "time": "ended"],
        "draining": ["finished old": "readingCounters", "time": "ended"],
        "readingCounters": ["time": "ended"],
        "completingCaptures": ["captured": "over", "time": "ended"],
        "over": [:],
        "ended": [:],
    ]

    private static func name(_ phase: Phase) -> String {
        switch phase {
        case .idle: "idle"
        case .beginning: "beginning"
        case .acting: "acting"
        case .pushing: "pushing"
        case .waiting: "waiting"
        case .waitingForEvent: "waitingForEvent"
        case .waitingForCounter: "waitingForCounter"
        case .stopping: "stopping"
        case .draining: "draining"
        case .readingCounters: "readingCounters"
        case .completingCaptures: "completingCaptures"
        case .over: "over"
        case .ended: "ended"
        }
    }

    /// Later than every timeout.
    private static let late = 100_000

    @Test func `every phase and every input`() throws {
        #expect(Set(Self.phases.map(\.name)) == Set(Self.transitions.keys))
        for (phase, steps, script) in Self.phases {
            for input in Self.inputs {
                var scenario = try ScriptedScenario(steps)
                _ = scenario.play(script)
                #expect(Self.name(scenario.player.phase) == phase)
                let before = scenario.player
                let text = scenario.play("\(Self.late) \(input)")
                #expect(!text.contains("not understood"), "\(text)")
                let after = scenario.player
                let ofAll = ["failure it died": "ended", "stopped": "ended"][input]
                let expected = ofAll ?? Self.transitions[phase]?[input] ?? phase
                #expect(Self.name(after.phase) == expected, "\(phase): \(input) → \(text)")
                #expect(after.orders.isEmpty)
                if phase == "ended" { #expect(after == before && !text.contains(">"), "\(input) → \(text)") }
                // It ends once, and nothing is waited for then.
                #expect(text.components(separatedBy: "> end").count <= 2)
                if Self.name(after.phase) == "ended" { #expect(after.deadline == nil) }
            }
        }
    }

    /// Of what can go wrong with a scenario nothing leaves a player that waits for ever.
    @Test func `a scenario that nobody answers ends by itself`() throws {
        for (phase, steps, script) in Self.phases where phase != "idle" {
            var scenario = try ScriptedScenario(steps)
            _ = scenario.play(script)
            var rounds = 0
            while let deadline = scenario.deadline, rounds < 20 {
                _ = scenario.step(.time, deadline)
                rounds += 1
            }
            #expect(rounds < 20, "\(phase)")
            #expect(["over", "ended"].contains(Self.name(scenario.player.phase)), "\(phase)")
        }
    }
}

public import Expectation
import Impairment
public import Measurement

/// One variant of a lab with everything resolved: addresses, MACs, references, defaults.
public struct Variant: Hashable, Sendable, Codable {
    /// What a variant is there to show.
    public enum Purpose: String, Hashable, Sendable, Codable, CaseIterable {
        /// The documented failure happens.
        case symptom
        /// A cure prevents it, on the same topology and traffic.
        case remedy
        /// Neither: what happens without the cause.
        case control
    }

    public var name: String
    public var shows: Purpose
    public var title: String
    /// Runs only when it is asked for by its name: it takes longer than a person waits unasked.
    public var isOnRequest: Bool
    public var timers: Timers
    public var networks: [Network]
    public var nodes: [Node]
    /// In-line elements on cables, for faults on single frames.
    public var elements: [CableElement]
    public var traffic: [TrafficProgram]
    /// Carried out in order; traffic that still runs at the end is stopped.
    public var scenario: [ScenarioStep]
    public var expectations: [ExpectationSpecification]
    public var capture: CaptureSelection
    /// Of all chance that has no seed of its own; nil where nothing is by chance and the lab says none.
    public var seed: Int?
    /// What the lab's words for addresses stand for.
    public var references: ReferenceTable
    /// The lab file with this variant alone and everything resolved; it reads back to an equal variant.
    public var resolvedYAML: String

    public func node(named name: String) -> Node? { nodes.first { $0.name == name } }
    /// Whether any fault on single frames decides by chance.
    public var isByChance: Bool { elements.contains { $0.rules.contains { $0.action.isByChance } } }

    public func network(named name: String) -> Network? { networks.first { $0.name == name } }

    /// What the scenario's waits add up to at least; building and judging come on top.
    public var shortestDuration: Duration {
        scenario.reduce(.zero) { if case .wait(let time) = $1 { $0 + time } else { $0 } }
    }

    /// What the scenario can last at most: every `wait-for` until its end.
    public var longestDuration: Duration {
        scenario.reduce(.zero) {
            switch $1 {
            case .wait(let time), .waitFor(_, within: let time), .waitForCounter(_, as: _, within: let time): $0 + time
            default: $0
            }
        }
    }
}

internal import Expectation
internal import LabTime

/// A `wait-for` of a counter, which is read again and again.
struct CounterWait: Hashable, Sendable {
    static let pause = Duration.milliseconds(10)

    let counter: CounterExpectation
    /// The event that it makes.
    let event: String
    let timeout: Timeout
    /// What was read last.
    var seen: Seen?
    /// When it is read again; nil while an answer is outstanding.
    var nextReading: Instant?

    enum Seen: Hashable, Sendable {
        case value(Int)
        /// The node has no such counter, but those near it; or it could not be read.
        case nothing(String?, near: [String])
    }

    /// Counters of the same group.
    func near(among names: some Sequence<String>) -> [String] {
        let group = CounterExpectation.group(of: counter.name)
        return counter.programs.isEmpty ? [] : names.filter { CounterExpectation.group(of: $0) == group }.sorted()
    }

    var failure: ScenarioFailure {
        let found =
            switch seen {
            case .value(let value): "it was \(value)"
            case .nothing(let problem?, near: _): problem
            case .nothing(nil, near: let near) where !near.isEmpty:
                "the node has no such counter, but \(near.joined(separator: ", "))"
            case .nothing: "the node has no such counter"
            case nil: "the node did not answer"
            }
        return ScenarioFailure(
            isMissing ? .lab : .timeout, "the scenario waited \(timeout.duration) for \(counter.sentence); \(found)")
    }

    /// Whether the node itself said that it has no such counter: more time would not help. Those of a program may come
    /// later.
    private var isMissing: Bool {
        if case .nothing(nil, near: _) = seen { counter.programs.isEmpty } else { false }
    }
}

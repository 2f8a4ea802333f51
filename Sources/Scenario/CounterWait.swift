internal import Expectation
internal import LabTime

/// A `wait-for` of a counter, which is read again and again.
struct CounterWait: Hashable, Sendable {
    static let pause = Duration.milliseconds(10)

    let counter: CounterExpectation
    /// The event that it makes.
    let event: String
    let timeout: Timeout
    /// What was read last; nil where the node has no such counter.
    var last: Int?
    /// When it is read again; nil while an answer is outstanding.
    var nextReading: Instant?

    var failure: ScenarioFailure {
        let seen = last.map { "it was \($0)" } ?? "the node has no such counter"
        return ScenarioFailure(
            .timeout, "the scenario waited \(timeout.duration) for \(counter.sentence); \(seen)")
    }
}

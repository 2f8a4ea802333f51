public import Expectation

/// One step of a scenario.
public enum ScenarioStep: Hashable, Sendable, Codable {
    /// Starts traffic programs, together.
    case start([String])
    case stop([String])
    case wait(Duration)
    /// Waits until an event of that name has happened; that it does not within the time is a failure of the lab.
    case waitFor(event: String, within: Duration)
    /// Waits until a node's counter is as told; that makes an event of that name.
    case waitForCounter(CounterExpectation, as: String, within: Duration)
    /// Makes something fail, or come back; the event gets that name.
    case fail(Fault, as: String)
    /// Changes what firewalls let through; the event gets that name.
    case push(Push, as: String)
}

extension ScenarioStep {
    /// The event that it makes.
    public var event: String? {
        switch self {
        case .fail(_, as: let name), .push(_, as: let name), .waitForCounter(_, as: let name, within: _): name
        case .start, .stop, .wait, .waitFor: nil
        }
    }
}

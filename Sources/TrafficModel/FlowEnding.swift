package import Measurement

/// How a flow ended, and why.
package struct FlowEnding: Hashable, Sendable {
    package var outcome: FlowOutcome
    package var reason: String?

    package static let survived = FlowEnding(outcome: .survived)

    package static func timedOut(_ program: TrafficProgram, waitingFor what: String) -> FlowEnding {
        FlowEnding(outcome: .timedOut, reason: "no \(what) for \(program.timeout), the application's patience")
    }

    package static let closedByPeer = FlowEnding(
        outcome: .reset, reason: "the connection was closed from the other side while an answer was awaited")

    package init(outcome: FlowOutcome, reason: String? = nil) {
        self.outcome = outcome
        self.reason = reason
    }
}

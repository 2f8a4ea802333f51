import Appliances
import LabEvents
import Testing

/// The events of a box that a test drives; any that is not as declared is a failure.
func asDeclared(_ events: [ApplianceEvent], of reporter: EventReporter) -> [ApplianceEvent] {
    for event in events {
        if let problem = event.kind.problem(with: event.details, from: reporter) { Issue.record("\(problem)") }
    }
    return events
}

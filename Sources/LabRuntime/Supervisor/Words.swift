internal import Expectation
internal import LabEvents
internal import Topology

// The lab's own words for what the supervisor tells and records.

extension Fault {
    /// What an event of this fault says besides the node.
    var details: EventDetails {
        switch self {
        case .linkDown(let reference), .linkUp(let reference): [.interface: reference.interface]
        case .arm(let rule, _), .disarm(let rule, _), .release(let rule, _): [.rule: rule]
        case .weight(_, let service, let member, let weight):
            [.service: service, .member: member, .weight: "\(weight)"]
        case .kill(let program), .startProgram(let program): [.program: program.program]
        case .switchover, .powerOff, .powerOn, .hang, .resume: [:]
        }
    }
}

extension ScenarioStep {
    /// For a person who watches.
    var words: String {
        switch self {
        case .start(let names): "start \(names.joined(separator: ", "))"
        case .stop(let names): "stop \(names.joined(separator: ", "))"
        case .wait(let duration): "wait \(duration)"
        case .waitFor(let event, let patience): "wait for \(event), at most \(patience)"
        case .waitForCounter(let counter, _, let patience): "wait until \(counter.sentence), at most \(patience)"
        case .fail(let fault, _): "\(fault)"
        case .push(let push, _): "\(push)"
        }
    }
}

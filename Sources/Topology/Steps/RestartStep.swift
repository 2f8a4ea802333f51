import Configuration
package import LabEvents
import LabFile

/// A program is ended with SIGTERM, or SIGKILL where it does not end, and started again.
package struct RestartStep: LiveStepKind {
    package static let event = EventKind.restart
    package static let summary =
        "SIGTERM, and SIGKILL after 5 s where the program does not end; then it is started again. The scenario goes on when it is ready"
    package static let form = "node/program"
    package static let example = "lb/haproxy"

    package var program: ProgramReference

    package var node: String { program.node }
    package var written: String { program.description }
    package var details: EventDetails { [.program: program.program] }
    package var subject: String? { program.description }

    package static func read(_ step: LiveStepReading) -> RestartStep? {
        guard step.action == nil else {
            step.refuse("'restart' is \(step.action?.found ?? "") of '\(step.target.value)'")
            return nil
        }
        return step.program().map { RestartStep(program: $0) }
    }

    package func actions(on node: Node) throws(FaultRefusal) -> [NodeAction] {
        try program.check(on: node)
        return [.restartProgram(program)]
    }
}

import Configuration
package import LabEvents

/// What is done to a program of a node.
package protocol ProgramFault: FaultKind {
    var program: ProgramReference { get }
    var action: NodeAction { get }
}

extension ProgramFault {
    package static var effect: NodeEffect { .needsRunningThen }
    package var node: String { program.node }
    package var written: String { program.description }
    package var details: EventDetails { [.program: program.program] }
    package var subject: String? { program.description }

    package func actions(on node: Node) throws(FaultRefusal) -> [NodeAction] {
        try program.check(on: node)
        return [action]
    }
}

private enum ProgramFaultKeys: String, CodingKey {
    case program = "_0"
}

/// A third-party program gets SIGKILL, with all that it started.
package struct KillFault: ProgramFault {
    private typealias CodingKeys = ProgramFaultKeys

    package static let event = EventKind.kill
    package static let summary = "SIGKILL for it and its children"
    package static let target = FaultTarget.program { KillFault(program: $0) }

    package var program: ProgramReference

    package var action: NodeAction { .killProgram(program) }

    package func actions(on node: Node) throws(FaultRefusal) -> [NodeAction] {
        try program.check(on: node)
        if node.programs.contains(where: { $0.name == program.program && $0.endsByItself }) {
            throw FaultRefusal(
                message: "'\(program)' ends by itself when it has done its work", remedy: "a program that runs on")
        }
        return [action]
    }
}

/// Starts a program that was killed.
package struct StartFault: ProgramFault {
    private typealias CodingKeys = ProgramFaultKeys

    package static let key = "startProgram"
    package static let event = EventKind.start
    package static let summary = "starts it again"
    package static let target = FaultTarget.program { StartFault(program: $0) }

    package var program: ProgramReference

    package var action: NodeAction { .startProgram(program) }
}

extension ProgramReference {
    func check(on node: Node) throws(FaultRefusal) {
        guard !node.programs.contains(where: { $0.name == program }) else { return }
        let known = node.programs.map(\.name).joined(separator: ", ")
        throw FaultRefusal(
            message: "'\(self.node)' has no program '\(program)'",
            remedy: known.isEmpty ? "it has none" : "it has \(known)")
    }
}

extension Fault {
    package static func kill(_ program: ProgramReference) -> Fault { Fault(KillFault(program: program)) }
    package static func startProgram(_ program: ProgramReference) -> Fault { Fault(StartFault(program: program)) }
}

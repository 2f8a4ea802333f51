package import LabEvents

/// The node's process is stopped (SIGSTOP) and keeps its carrier.
package struct HangFault: FaultKind {
    package static let event = EventKind.hang
    package static let summary = "its process stops; its links stay up"
    package static let target = FaultTarget.node { HangFault(node: $0) }
    package static let effect = NodeEffect.hangs

    package var node: String

    package func actions(on node: Node) -> [NodeAction] { [.stop(node: node.name)] }
}

/// A node that hangs goes on (SIGCONT).
package struct ResumeFault: FaultKind {
    package static let event = EventKind.resume
    package static let summary = "its process goes on"
    package static let target = FaultTarget.node { ResumeFault(node: $0) }
    package static let effect = NodeEffect.resumes

    package var node: String

    package func actions(on node: Node) -> [NodeAction] { [.resume(node: node.name)] }
}

extension Fault {
    package static func hang(node: String) -> Fault { Fault(HangFault(node: node)) }
    package static func resume(node: String) -> Fault { Fault(ResumeFault(node: node)) }
}

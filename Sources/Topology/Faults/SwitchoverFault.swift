import Appliances
package import LabEvents

/// The Active of a pair hands over and stays alive as standby.
package struct SwitchoverFault: FaultKind {
    package static let event = EventKind.switchover
    package static let summary = "it hands over and stays alive as standby"
    package static let target = FaultTarget.firewallOfPair { SwitchoverFault(node: $0) }
    package static let effect = NodeEffect.needsRunning

    package var node: String

    package func actions(on node: Node) -> [NodeAction] { [.command(.switchover, node: node.name)] }
}

extension Fault {
    package static func switchover(node: String) -> Fault { Fault(SwitchoverFault(node: node)) }
}

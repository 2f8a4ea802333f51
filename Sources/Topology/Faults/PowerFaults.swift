internal import Configuration
package import LabEvents

/// A crash: the node's process is killed and its links lose their carrier.
package struct PowerOffFault: FaultKind {
    package static let key = "powerOff"
    package static let event = EventKind.powerOff
    package static let summary = "a crash: its process dies and its links lose carrier"
    package static let target = FaultTarget.node { PowerOffFault(node: $0) }
    package static let effect = NodeEffect.powersOff

    package var node: String

    /// A box first: it would see its links go one after the other and still hand over. A host's links first: its kernel
    /// would still close its connections. Before that its processes: they would see the links go, react and report.
    package func actions(on node: Node) -> [NodeAction] {
        let links = NodeAction.setLinks(node: node.name, isUp: false)
        let kill = NodeAction.kill(node: node.name)
        if node.hasWireSide { return [kill, links] }
        return [.freeze(node: node.name), links, kill]
    }
}

/// Starts a node that was powered off.
package struct PowerOnFault: FaultKind {
    package static let key = "powerOn"
    package static let event = EventKind.powerOn
    package static let summary = "starts it again"
    package static let target = FaultTarget.node { PowerOnFault(node: $0) }
    package static let effect = NodeEffect.powersOn

    package var node: String

    /// A kernel that starts tracks no connection. It matters where rules or conntrackd use them.
    package func actions(on node: Node) -> [NodeAction] {
        let tracks = node.programs.contains { ["nftables", "conntrackd"].contains($0.package) }
        return (tracks ? [.network(.clearConntrack, node: node.name)] : [])
            + [.setLinks(node: node.name, isUp: true), .start(node: node.name)]
    }
}

extension Fault {
    package static func powerOff(node: String) -> Fault { Fault(PowerOffFault(node: node)) }
    package static func powerOn(node: String) -> Fault { Fault(PowerOnFault(node: node)) }
}

internal import Configuration
public import Impairment

/// An in-line element: the cable of an interface is cut in two, with a process between the halves.
public struct CableElement: Hashable, Sendable, Codable {
    /// The interface that the cable is plugged into; the element's `near` port leads to it.
    public var cable: InterfaceReference
    public var network: String
    /// What the near and the far port lead to: a node, or `switch`; `near` and `far` where both are the same node.
    public var ends: [String]
    public var rules: [FaultRule]

    /// `lb.servers`
    public var name: String { cable.description }

    /// The element's ports, for captures: `lb.servers.near`, `lb.servers.far`.
    public var ports: [InterfaceReference] {
        InLineElementConfiguration.portNames.map { InterfaceReference(node: name, interface: $0) }
    }

    /// What its process is told. The ports have no addresses; their MACs are the element's own and never used.
    public var node: Node {
        Node(
            name: name, role: Node.Role(InLineElementConfiguration(name: name, ends: ends, rules: rules)),
            interfaces: [], routes: [], sysctls: [])
    }
}

extension Variant {
    /// Everything that has a process: nodes, then in-line elements.
    public var processes: [Node] { nodes + elements.map(\.node) }

    public func element(named name: String) -> CableElement? { elements.first { $0.name == name } }

    /// The element on an interface's cable, from whichever end.
    public func element(onCableOf reference: InterfaceReference) -> (element: CableElement, isNear: Bool)? {
        for element in elements {
            if element.cable == reference { return (element, true) }
            guard let network = network(named: element.network), network.kind == .link else { continue }
            let isOnIt = network.attachments.contains {
                $0.node == reference.node && $0.interface == reference.interface
            }
            if isOnIt { return (element, false) }
        }
        return nil
    }
}

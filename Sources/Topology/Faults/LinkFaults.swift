package import LabEvents

/// A cable loses its carrier.
package struct LinkDownFault: FaultKind {
    package static let key = "linkDown"
    package static let event = EventKind.linkDown
    package static let summary = "the link loses carrier"
    package static let target = FaultTarget.interface { LinkDownFault(link: $0) }

    package var link: InterfaceReference

    private enum CodingKeys: String, CodingKey {
        case link = "_0"
    }

    package var node: String { link.node }
    package var written: String { link.description }
    package var details: EventDetails { [.interface: link.interface] }
    package var interface: InterfaceReference? { link }
    package func actions(on node: Node) -> [NodeAction] { [.setLink(link, isUp: false)] }
}

/// A cable has its carrier again.
package struct LinkUpFault: FaultKind {
    package static let key = "linkUp"
    package static let event = EventKind.linkUp
    package static let summary = "the link regains carrier"
    package static let target = FaultTarget.interface { LinkUpFault(link: $0) }

    package var link: InterfaceReference

    private enum CodingKeys: String, CodingKey {
        case link = "_0"
    }

    package var node: String { link.node }
    package var written: String { link.description }
    package var details: EventDetails { [.interface: link.interface] }
    package var interface: InterfaceReference? { link }
    package func actions(on node: Node) -> [NodeAction] { [.setLink(link, isUp: true)] }
}

extension Fault {
    package static func linkDown(_ link: InterfaceReference) -> Fault { Fault(LinkDownFault(link: link)) }
    package static func linkUp(_ link: InterfaceReference) -> Fault { Fault(LinkUpFault(link: link)) }
}

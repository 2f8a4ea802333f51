package import LabEvents

/// The carrier of a cable.
package protocol LinkFault: FaultKind {
    var link: InterfaceReference { get }
    static var isUp: Bool { get }
}

extension LinkFault {
    package var node: String { link.node }
    package var written: String { link.description }
    package var details: EventDetails { [.interface: link.interface] }
    package var interface: InterfaceReference? { link }
    package func actions(on node: Node) -> [NodeAction] { [.setLink(link, isUp: Self.isUp)] }
}

private enum LinkFaultKeys: String, CodingKey {
    case link = "_0"
}

/// A cable loses its carrier.
package struct LinkDownFault: LinkFault {
    private typealias CodingKeys = LinkFaultKeys

    package static let key = "linkDown"
    package static let event = EventKind.linkDown
    package static let summary = "the link loses carrier"
    package static let target = FaultTarget.interface { LinkDownFault(link: $0) }
    package static let isUp = false

    package var link: InterfaceReference
}

/// A cable has its carrier again.
package struct LinkUpFault: LinkFault {
    private typealias CodingKeys = LinkFaultKeys

    package static let key = "linkUp"
    package static let event = EventKind.linkUp
    package static let summary = "the link regains carrier"
    package static let target = FaultTarget.interface { LinkUpFault(link: $0) }
    package static let isUp = true

    package var link: InterfaceReference
}

extension Fault {
    package static func linkDown(_ link: InterfaceReference) -> Fault { Fault(LinkDownFault(link: link)) }
    package static func linkUp(_ link: InterfaceReference) -> Fault { Fault(LinkUpFault(link: link)) }
}

/// A network namespace of a lab. `description` is its name in messages and commands.
public enum NamespaceID: Hashable, Sendable, Codable {
    /// A host's only namespace, or a box's host side: `fw-a`
    case host(String)
    /// A box's wire side, which has no addresses: `fw-a:wire`
    case wire(String)
    /// A switch: the network's name
    case `switch`(String)
    /// An in-line element: the interface whose cable it is on, `lb.servers`
    case element(String)

    /// The node that lives in it; nil for a switch and an in-line element.
    public var node: String? {
        switch self {
        case .host(let node), .wire(let node): node
        case .switch, .element: nil
        }
    }
}

extension NamespaceID: CustomStringConvertible {
    public var description: String {
        switch self {
        case .host(let node): node
        case .wire(let node): node + ":wire"
        case .switch(let network): network
        case .element(let cable): cable
        }
    }
}

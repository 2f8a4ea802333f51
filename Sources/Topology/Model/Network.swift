public import Wire

/// A network of the lab: a cable between two interfaces, or a switch with a port for each.
public struct Network: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// One veth pair from interface to interface.
        case link
        /// A bridge in a namespace of its own.
        case `switch`
    }

    /// An interface on the network.
    public struct Attachment: Hashable, Sendable, Codable {
        public var node: String
        public var interface: String
        /// The switch's port: the node's name, or `node-interface` where one node attaches twice; nil for a link.
        public var port: String?
    }

    public var name: String
    /// nil for a network of IPv6 alone.
    public var subnet: IPv4Network?
    /// nil for a network without IPv6, on which IPv6 is silent.
    public var ipv6: IPv6Network?
    public var kind: Kind
    /// Largest IP packet in bytes.
    public var mtu: Int
    /// In the order of the nodes.
    public var attachments: [Attachment]

    /// One of each family at most, IPv4 first.
    public var subnets: [IPNetwork] { [subnet.map { .ipv4($0) }, ipv6.map { .ipv6($0) }].compactMap { $0 } }

    public func subnet(_ family: IPVersion) -> IPNetwork? { subnets.first { $0.family == family } }
    public func contains(_ address: IPAddress) -> Bool { subnets.contains { $0.contains(address) } }
}

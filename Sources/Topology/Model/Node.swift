public import Configuration
public import LabFile
public import Wire

/// A machine of the lab.
public struct Node: Hashable, Sendable, Codable {
    public var name: String
    public var role: Role
    public var interfaces: [Interface]
    /// Static routes without the connected networks; a gateway is the route to 0.0.0.0/0 or ::/0. Of a box, also those of
    /// its host side.
    public var routes: [RouteConfiguration]
    /// Tables besides `main`, which only rules lead to.
    public var tables: [RoutingTable] = []
    public var rules: [RoutingRule] = []
    /// Of the node's stack (of a box, its host side), in addition to what the plan sets everywhere.
    public var sysctls: [Sysctl]
    /// Further addresses of a host, on `lo`: the service's, of a member with direct server return.
    public var loopback: [IPAddress] = []
    /// Networks all of whose addresses are a host's own, on `lo`.
    public var loopbackNetworks: [IPv4Network] = []
    /// Where a host's tunnels end.
    public var tunnel: MemberTunnel?
    /// Third-party programs in the namespace of the node's stack (of a box, its host side).
    public var programs: [ProgramConfiguration] = []
    /// What these programs see instead of the host's files.
    public var image: ImageConfiguration?
    /// Where the lab file has it.
    public var imagePosition: SourcePosition?

    public func interface(named name: String) -> Interface? { interfaces.first { $0.name == name } }

    /// What a capture can listen to: its interfaces, and what its kernel sees come out of a tunnel.
    public var capturedInterfaces: [String] {
        interfaces.map(\.name) + (tunnel == nil ? [] : [MemberTunnel.interface])
    }

    /// Whether any of its interfaces has an IPv6 address.
    public var hasIPv6: Bool { interfaces.contains { $0.ipv6 != nil } }

    /// Whether it writes an access log: it has an HTTP service.
    public var logsRequests: Bool { role.configuration.virtualServices.contains { $0.profile == .http } }

    public var isElement: Bool { role.configuration is InLineElementConfiguration }

    /// Whether its links end in a namespace of their own, in which its process owns all frames.
    public var hasWireSide: Bool { isBox || tunnel.map { !$0.isKernels } ?? false }

    /// Whether it is a box: an appliance with a wire side and a host side.
    public var isBox: Bool { type(of: role.configuration).isBox }
}

/// An interface of a node.
public struct Interface: Hashable, Sendable, Codable {
    /// The lab's own word, at most 15 bytes.
    public var name: String
    public var network: String
    public var mac: MACAddress
    /// nil where the lab says `address: none`, and on a network of IPv6 alone.
    public var address: IPv4InterfaceAddress?
    /// nil where the lab says `none`, and on a network without IPv6. Beside it the interface has the link-local address
    /// that comes from its MAC address.
    public var ipv6: IPv6InterfaceAddress?
    /// Largest IP packet in bytes.
    public var mtu: Int
}

extension Interface {
    /// One of each family at most, IPv4 first.
    public var addresses: [IPInterfaceAddress] {
        [address.map { .ipv4($0) }, ipv6.map { .ipv6($0) }].compactMap { $0 }
    }

    public func address(_ family: IPVersion) -> IPInterfaceAddress? {
        addresses.first { $0.address.family == family }
    }
}

/// A kernel setting of a network namespace.
public struct Sysctl: Hashable, Sendable, Codable {
    /// Below `/proc/sys/`, as in `net/ipv4/conf/all/rp_filter`
    public var path: String
    public var value: String
    /// Passed over where the kernel does not have it.
    public var isOptional: Bool

    public init(_ path: String, _ value: String, isOptional: Bool = false) {
        self.path = path
        self.value = value
        self.isOptional = isOptional
    }
}

/// An interface named by its node, as in `lb.inside`.
public struct InterfaceReference: Hashable, Sendable, Codable, CustomStringConvertible {
    public var node: String
    public var interface: String

    public init(node: String, interface: String) {
        self.node = node
        self.interface = interface
    }

    public var description: String { "\(node).\(interface)" }
}

/// What a run captures.
public struct CaptureSelection: Hashable, Sendable, Codable {
    /// In the order of the nodes; all interfaces unless the lab chooses.
    public var interfaces: [InterfaceReference]
    /// Bytes of a frame that are kept.
    public var snapshotLength: Int
}

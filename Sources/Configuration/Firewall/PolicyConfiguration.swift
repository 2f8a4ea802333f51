public import Dataplane
public import Wire

/// What a firewall lets through: named objects, and rules over them. It can be changed while traffic passes.
public struct PolicyConfiguration: Hashable, Sendable, Codable {
    /// Networks under a name, for rules to share.
    public var objects: [PolicyObject]
    /// The first that matches decides about a new session.
    public var rules: [PolicyRule]
    /// About a session that no rule matches.
    public var otherwise: FilterRule.Action

    public init(objects: [PolicyObject] = [], rules: [PolicyRule] = [], otherwise: FilterRule.Action = .allow) {
        self.objects = objects
        self.rules = rules
        self.otherwise = otherwise
    }

    /// Everything passes.
    public static let open = PolicyConfiguration()
}

public struct PolicyObject: Hashable, Sendable, Codable {
    public var name: String
    public var networks: [IPv4Network]

    public init(name: String, networks: [IPv4Network]) {
        self.name = name
        self.networks = networks
    }
}

public struct PolicyRule: Hashable, Sendable, Codable {
    public var name: String
    public var action: FilterRule.Action
    /// The port where a session's first packet comes in; nil for any.
    public var ingress: String?
    /// Networks, or names of objects; empty for any.
    public var sources: [PolicyAddress]
    public var destinations: [PolicyAddress]
    /// nil for any.
    public var `protocol`: IPProtocol?
    /// nil for any.
    public var destinationPorts: ClosedRange<UInt16>?

    public init(
        name: String, action: FilterRule.Action, ingress: String? = nil, sources: [PolicyAddress] = [],
        destinations: [PolicyAddress] = [], protocol: IPProtocol? = nil, destinationPorts: ClosedRange<UInt16>? = nil
    ) {
        self.name = name
        self.action = action
        self.ingress = ingress
        self.sources = sources
        self.destinations = destinations
        self.protocol = `protocol`
        self.destinationPorts = destinationPorts
    }
}

/// A network, or an object by its name.
public enum PolicyAddress: Hashable, Sendable, Codable {
    case network(IPv4Network)
    case object(String)
}

extension PolicyAddress: CustomStringConvertible {
    /// `192.0.2.0/24`, `office`
    public var description: String {
        switch self {
        case .network(let network): network.description
        case .object(let name): name
        }
    }
}

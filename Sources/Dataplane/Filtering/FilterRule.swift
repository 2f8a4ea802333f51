public import Wire

/// A rule for IPv4.
public typealias FilterRule = IPFilterRule<IPv4>

/// What a rule makes of what it matches.
public enum FilterAction: String, Hashable, Sendable, Codable, CaseIterable {
    case allow, deny
}

/// A rule for packets that would open a session; the first that matches decides. Packets of a session that exists
/// are never asked again.
public struct IPFilterRule<Family: AddressFamily>: Hashable, Sendable {
    public typealias Action = FilterAction

    public var name: String
    public var action: Action
    /// nil matches every port.
    public var ingress: PortIndex?
    /// Empty matches every address.
    public var sources: [Family.Address.Network]
    public var destinations: [Family.Address.Network]
    /// nil matches every protocol.
    public var `protocol`: IPProtocol?
    public var destinationPorts: ClosedRange<UInt16>
    public let identity: RuleIdentity

    public init(
        name: String, action: Action, ingress: PortIndex? = nil, sources: [Family.Address.Network] = [],
        destinations: [Family.Address.Network] = [], protocol: IPProtocol? = nil,
        destinationPorts: ClosedRange<UInt16> = 0...65535
    ) {
        self.name = name
        self.action = action
        self.ingress = ingress
        self.sources = sources
        self.destinations = destinations
        self.protocol = `protocol`
        self.destinationPorts = destinationPorts
        identity = RuleIdentity(naming: name)
    }

    @inlinable
    public func matches(_ flow: FlowKey<Family>, from port: PortIndex) -> Bool {
        (ingress ?? port) == port && (`protocol` ?? flow.protocol) == flow.protocol
            && destinationPorts.contains(flow.destinationPort)
            && (sources.isEmpty || sources.contains { $0.contains(flow.source) })
            && (destinations.isEmpty || destinations.contains { $0.contains(flow.destination) })
    }
}

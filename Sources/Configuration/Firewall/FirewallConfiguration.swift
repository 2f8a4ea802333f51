public import Dataplane
public import Wire

/// A routed, stateful firewall, alone or as one of a pair.
public struct FirewallConfiguration: Hashable, Sendable, Codable {
    public var name: String
    public var ports: [PortConfiguration]
    public var routes: [RouteConfiguration]
    /// nil for a firewall that stands alone.
    public var redundancy: RedundancyConfiguration?
    /// nil where nothing is translated.
    public var nat: NATConfiguration?
    /// What it lets through when it starts.
    public var policy: PolicyConfiguration
    /// The most sessions; when so many exist, new ones are refused.
    public var sessionCapacity: Int
    /// What the names that sessions ask for are sorted into, in order of their numbers.
    public var categories: [CategoryConfiguration]
    /// Protocols whose payload it reads, to let through what they announce.
    public var applicationGateways: [ApplicationGateway]

    public init(
        name: String, ports: [PortConfiguration], routes: [RouteConfiguration], redundancy: RedundancyConfiguration?,
        nat: NATConfiguration? = nil, policy: PolicyConfiguration = .open, sessionCapacity: Int = 65_536,
        categories: [CategoryConfiguration] = [], applicationGateways: [ApplicationGateway] = []
    ) {
        self.name = name
        self.ports = ports
        self.routes = routes
        self.redundancy = redundancy
        self.sessionCapacity = sessionCapacity
        self.categories = categories
        self.applicationGateways = applicationGateways
        self.nat = nat
        self.policy = policy
    }
}

/// How a firewall and its peer share addresses and sessions.
public struct RedundancyConfiguration: Hashable, Sendable, Codable {
    public var peer: String
    /// VRRP priority, 1 … 254 (255 is the address owner's); the higher one is preferred as Active.
    public var priority: UInt8
    /// Whether a recovered box of higher priority takes the addresses back.
    public var preempts: Bool
    /// Whether the virtual addresses answer with the virtual router's MAC (00-00-5E-00-01-{VRID}) or the port's own.
    public var usesVirtualMAC: Bool
    /// RFC 9568 Advertisement_Interval, 10 ms … 40.95 s.
    public var advertisementInterval: Duration
    /// Time between two heartbeats on the cross-connect.
    public var heartbeatInterval: Duration
    /// Heartbeats missed in a row after which the peer counts as dead.
    public var heartbeatMisses: Int
    /// The port of the cross-connect; nil where the pair has none (VRRP alone, no session synchronisation).
    public var crossConnect: CrossConnectConfiguration?
    /// One virtual router for each network that the pair serves; they fail over together.
    public var virtualRouters: [VirtualRouterConfiguration]
    /// The pair's secret, by which messages on the cross-connect are authenticated; nil for none.
    public var key: String?
    /// How long the first packets of a connection wait for the peer to have its record; nil where they do not wait.
    public var deferral: Duration?
    /// nil where the passive box drops what is the Active's.
    public var conduit: ConduitConfiguration?
    /// nil where the served ports count as the election sees fit.
    public var trackedLinks: [TrackedLink]?
    public var announcements: AnnouncementSchedule
    /// Whether a box preempts before it has the pair's sessions, as it should not.
    public var preemptsEmpty: Bool
    /// How long after its start a box waits for a peer of which it has heard nothing, while the cross-connect has carrier.
    public var startupSilentPeriod: Duration

    public init(
        peer: String, priority: UInt8, preempts: Bool, usesVirtualMAC: Bool, advertisementInterval: Duration,
        heartbeatInterval: Duration, heartbeatMisses: Int, crossConnect: CrossConnectConfiguration?,
        virtualRouters: [VirtualRouterConfiguration], key: String? = nil, deferral: Duration? = nil,
        conduit: ConduitConfiguration? = nil, trackedLinks: [TrackedLink]? = nil,
        announcements: AnnouncementSchedule = .persistent, preemptsEmpty: Bool = false,
        startupSilentPeriod: Duration = .zero
    ) {
        self.peer = peer
        self.priority = priority
        self.preempts = preempts
        self.usesVirtualMAC = usesVirtualMAC
        self.advertisementInterval = advertisementInterval
        self.heartbeatInterval = heartbeatInterval
        self.heartbeatMisses = heartbeatMisses
        self.crossConnect = crossConnect
        self.virtualRouters = virtualRouters
        self.key = key
        self.deferral = deferral
        self.conduit = conduit
        self.trackedLinks = trackedLinks
        self.announcements = announcements
        self.preemptsEmpty = preemptsEmpty
        self.startupSilentPeriod = startupSilentPeriod
    }
}

public struct CrossConnectConfiguration: Hashable, Sendable, Codable {
    /// Name of the port of the cross-connect; it has an address of its own.
    public var port: String
    public var peerAddress: IPv4Address

    public init(port: String, peerAddress: IPv4Address) {
        self.port = port
        self.peerAddress = peerAddress
    }
}

/// A virtual router of RFC 9568 on one port.
public struct VirtualRouterConfiguration: Hashable, Sendable, Codable {
    public var port: String
    /// VRID, 1 … 255
    public var id: UInt8
    public var addresses: [IPv4Address]

    public init(port: String, id: UInt8, addresses: [IPv4Address]) {
        self.port = port
        self.id = id
        self.addresses = addresses
    }
}

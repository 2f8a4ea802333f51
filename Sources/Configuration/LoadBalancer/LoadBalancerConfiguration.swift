public import Wire

/// A load balancer with its virtual services.
public struct LoadBalancerConfiguration: Hashable, Sendable, Codable {
    public var name: String
    public var ports: [PortConfiguration]
    public var routes: [RouteConfiguration]
    public var services: [VirtualServiceConfiguration]

    public init(
        name: String, ports: [PortConfiguration], routes: [RouteConfiguration], services: [VirtualServiceConfiguration]
    ) {
        self.name = name
        self.ports = ports
        self.routes = routes
        self.services = services
    }
}

/// How a virtual service carries its connections.
public enum ServiceProfile: String, Hashable, Sendable, Codable, CaseIterable {
    /// A TCP flow keeps the member, the client-side MAC address and the port that it learned from its first packet.
    case tcpFastPath = "tcp-fast-path"
    /// The same for UDP.
    case udpFastPath = "udp-fast-path"
    /// Every datagram is looked up anew: member, route and neighbour.
    case udpPerPacket = "udp-per-packet"
    /// TCP ends at the balancer's host side, which opens a connection of its own to the member.
    case tcpProxy = "tcp-proxy"
    /// HTTP/1.1 ends at the balancer's host side, which asks the member by itself.
    case http

    public var transport: IPProtocol {
        switch self {
        case .tcpFastPath, .tcpProxy, .http: .tcp
        case .udpFastPath, .udpPerPacket: .udp
        }
    }

    /// Whether the client's connection ends at the balancer's host side.
    @inlinable
    public var endsAtHostSide: Bool { self == .tcpProxy || self == .http }
}

public enum Scheduler: String, Hashable, Sendable, Codable, CaseIterable {
    case roundRobin = "round-robin"
    /// Maglev over the client's address and port.
    case consistentHash = "consistent-hash"
}

/// The source address of the connection to the member.
public enum SourceTranslation: String, Hashable, Sendable, Codable, CaseIterable {
    /// The client's own.
    case off
    /// The balancer's address on the member's network, with a port of the balancer's choice.
    case autoMap = "auto-map"
    /// As `auto-map` for a flow that comes from the member that it is balanced to, as `off` for all others.
    case hairpin
}

public struct VirtualServiceConfiguration: Hashable, Sendable, Codable {
    public var name: String
    public var address: IPAddress
    public var port: UInt16
    public var profile: ServiceProfile
    public var scheduler: Scheduler
    public var sourceTranslation: SourceTranslation
    public var members: [PoolMemberConfiguration]
    /// nil: members always count as up.
    public var monitor: MonitorConfiguration?
    /// A fast-path flow without packets for so long is forgotten.
    public var idleTimeout: Duration
    /// For the profile `http`; nil is all defaults there.
    public var http: HTTPServiceConfiguration?
    /// nil: answers come back through the balancer.
    public var directReturn: DirectReturnConfiguration?

    public init(
        name: String, address: some InternetAddress, port: UInt16, profile: ServiceProfile, scheduler: Scheduler,
        sourceTranslation: SourceTranslation, members: [PoolMemberConfiguration], monitor: MonitorConfiguration?,
        idleTimeout: Duration, http: HTTPServiceConfiguration? = nil, directReturn: DirectReturnConfiguration? = nil
    ) {
        self.init(
            name: name, address: address.erased, port: port, profile: profile, scheduler: scheduler,
            sourceTranslation: sourceTranslation, members: members, monitor: monitor, idleTimeout: idleTimeout,
            http: http, directReturn: directReturn)
    }

    public init(
        name: String, address: IPAddress, port: UInt16, profile: ServiceProfile, scheduler: Scheduler,
        sourceTranslation: SourceTranslation, members: [PoolMemberConfiguration], monitor: MonitorConfiguration?,
        idleTimeout: Duration, http: HTTPServiceConfiguration? = nil, directReturn: DirectReturnConfiguration? = nil
    ) {
        self.name = name
        self.address = address
        self.port = port
        self.profile = profile
        self.scheduler = scheduler
        self.sourceTranslation = sourceTranslation
        self.members = members
        self.monitor = monitor
        self.idleTimeout = idleTimeout
        self.http = http
        self.directReturn = directReturn
    }
}

public struct PoolMemberConfiguration: Hashable, Sendable, Codable {
    /// The backend's name in the lab.
    public var name: String
    public var address: IPAddress
    public var port: UInt16
    /// Share of new flows relative to the other members, 1 … 100.
    public var weight: Int

    public init(name: String, address: some InternetAddress, port: UInt16, weight: Int = 1) {
        self.init(name: name, address: address.erased, port: port, weight: weight)
    }

    public init(name: String, address: IPAddress, port: UInt16, weight: Int = 1) {
        self.name = name
        self.address = address
        self.port = port
        self.weight = weight
    }
}

/// A health monitor: how a member is asked, and how many answers in a row change its state.
public struct MonitorConfiguration: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// A connection that is accepted.
        case tcp
        /// A `GET` that is answered with a status below 400.
        case http
    }

    public var kind: Kind
    /// The port that is asked; nil for the member's service port.
    public var port: UInt16?
    /// The request target of an HTTP monitor.
    public var path: String
    public var interval: Duration
    public var timeout: Duration
    /// Failures in a row that take a member out.
    public var fall: Int
    /// Successes in a row that bring it back.
    public var rise: Int
    /// What is asked at a member with direct server return.
    public var target: Target

    public enum Target: String, Hashable, Sendable, Codable, CaseIterable {
        /// The service's address, by the way that clients' packets take: through the tunnel, answered directly.
        case service
        /// The member's own address, as without direct server return.
        case member
    }

    public init(
        kind: Kind, port: UInt16? = nil, path: String = "/", interval: Duration, timeout: Duration, fall: Int,
        rise: Int,
        target: Target = .service
    ) {
        self.kind = kind
        self.port = port
        self.path = path
        self.interval = interval
        self.timeout = timeout
        self.fall = fall
        self.rise = rise
        self.target = target
    }
}

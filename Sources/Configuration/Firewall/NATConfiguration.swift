public import Dataplane

/// What a firewall translates.
public struct NATConfiguration: Hashable, Sendable, Codable {
    public var pools: [NATPool]
    /// Asked in order about each new session; what none of them matches keeps its addresses.
    public var rules: [NATRule]
    public var timers: NATTimers

    public init(pools: [NATPool], rules: [NATRule], timers: NATTimers = .standard) {
        self.pools = pools
        self.rules = rules
        self.timers = timers
    }
}

/// How long sessions of a translator live without packets.
public struct NATTimers: Hashable, Sendable, Codable {
    /// UDP, and protocols without connections. At least two minutes; RFC 4787, REQ-5 recommends five.
    public var udp: Duration
    /// TCP after the handshake. Source: RFC 5382, REQ-5 (2 hours 4 minutes at least)
    public var established: Duration
    /// TCP while it opens or closes, and after a reset. Source: RFC 5382, REQ-5; RFC 7857, 2.2 (4 minutes at least)
    public var transitory: Duration
    /// ICMP queries. Source: RFC 5508, REQ-2 (60 s at least)
    public var query: Duration

    public init(udp: Duration, established: Duration, transitory: Duration, query: Duration) {
        self.udp = udp
        self.established = established
        self.transitory = transitory
        self.query = query
    }

    public static let standard = NATTimers(
        udp: .seconds(300), established: .seconds(7440), transitory: .seconds(240), query: .seconds(60))
}

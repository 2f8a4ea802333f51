public import Configuration
public import Dataplane
import LabEvents
public import LabTime
import Wire

/// A load balancer for TCP and UDP: virtual services, their pools, and the sessions that they carry.
///
/// | profile | a packet without session | a session's packets | back to the client |
/// |---|---|---|---|
/// | `tcp-fast-path` | SYN opens one; others are dropped silently (`not-syn`) | same member | MAC and port of the first frame, never looked up again |
/// | `udp-fast-path` | opens one | same member | MAC and port of the first frame, never looked up again |
/// | `udp-per-packet` | there are no sessions: each datagram is balanced | – | route and neighbour for each datagram |
/// | `tcp-proxy`, `http` | to the host side, which terminates TCP | – | by the host side's kernel |
///
/// A client-side MAC address that changes in the life of a session is the failure that article 420010 describes; the
/// balancer has it by design, as the documented product does.
///
/// - With source translation the source is the balancer's address on the member's network and a port of
///   10240 … 32767, which one session has at a time; where all are taken a new session is dropped
///   (`translation-ports-exhausted`).
/// - A TCP session ends one second after both FINs or an RST, each without an answer within 30 s or its idle time.
///   ICMP errors neither extend nor end it.
/// - A member that goes down loses its sessions: the client's next SYN is balanced anew, its other packets are dropped
///   silently. Where no member is up, new sessions are dropped silently (`no-member-up`).
/// - With direct server return a packet goes to its member with the addresses that the client gave it, and its answer
///   never comes by; see `Balancer+DirectReturn.swift`.
/// - Fragments for fast-path and per-packet services are dropped (`fragment`): only the first says which session.
/// - The balancer is no router: what is neither for it nor of a session is dropped (`not-a-router`).
///
/// A frame takes this way: `process` reads it, `Balancer.receive` of its family finds its session or service, `carry`
/// sends it.
public struct LoadBalancer: ~Copyable, Appliance {
    var core: BalancerCore
    var ipv4: Balancer<IPv4>
    var ipv6: Balancer<IPv6>
    var events: [ApplianceEvent] = []

    public var configuration: LoadBalancerConfiguration { core.configuration }

    /// - Parameters:
    ///   - flowCapacity: the most sessions at a time, and the most mappings of per-packet services
    ///   - seed: decides which translation port comes first and how flows are scattered in their table; the same seed
    ///     and frames give the same frames
    /// - Throws: a service that cannot work, and why
    public init(
        _ configuration: LoadBalancerConfiguration, flowCapacity: Int = 65_536, seed: UInt64 = 0,
        neighborTiming: NeighborTiming = NeighborTiming()
    ) throws(ConfigurationError) {
        let ports = try BoxPorts(
            configuration.ports, routes: configuration.routes, neighborTiming: neighborTiming)
        try Self.check(configuration, ports)
        // A family in which no service listens has no sessions.
        func capacity(_ family: IPVersion) -> Int {
            configuration.services.contains { $0.address.family == family } ? flowCapacity : 1
        }
        // Two translators for each port, of IPv4; behind all of them those of IPv6.
        let (scatter, count) = (Maglev.mix(seed), ports.count * 2)
        let seeds = (0..<(count * 2)).map { Maglev.mix(seed &+ UInt64($0) &+ 1) }
        ipv4 = Balancer(capacity: capacity(.ipv4), scatter: scatter, seeds: Array(seeds[..<count]))
        ipv6 = Balancer(capacity: capacity(.ipv6), scatter: scatter, seeds: Array(seeds[count...]))
        core = BalancerCore(configuration, ports)
    }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        for index in 0..<core.ports.count {
            let port = PortIndex(index)
            for (address, mac) in core.ports.owned.all(on: port) where !(address.ipv6?.isLinkLocal ?? false) {
                core.ports.announce(address, at: mac, on: port, into: &output)
            }
        }
        events.append(ApplianceEvent(.ready, at: now))
    }

    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        for frame in frames {
            if frame.side == .host, core.monitored.count > 0, probe(frame, at: now, into: &output) { continue }
            switch core.ports.receive(frame, at: now, into: &output) {
            case .done: continue
            case .ipv4(let packet): ipv4.receive(frame, packet, &core, at: now, into: &output)
            case .ipv6(let packet): ipv6.receive(frame, packet, &core, at: now, into: &output)
            case .group, .ipv6Group: core.ports.counters.drop(.multicast)
            case .other: core.ports.counters.drop(.unsupportedEtherType)
            }
        }
    }

    /// Takes a frame of the host side that is a monitor's.
    /// - Returns: false where it is anything else
    private mutating func probe(_ frame: Frame, at now: Instant, into output: inout FrameQueue) -> Bool {
        if let packet = PacketView(frame.bytes) { return ipv4.probe(frame, packet, &core, at: now, into: &output) }
        if let packet = IPv6PacketView(frame.bytes) { return ipv6.probe(frame, packet, &core, at: now, into: &output) }
        return false
    }

    public var deadline: Instant? {
        // Asked for every batch: no array.
        var next = core.ports.deadline
        if let other = ipv4.deadline, next.map({ other < $0 }) ?? true { next = other }
        if let other = ipv6.deadline, next.map({ other < $0 }) ?? true { next = other }
        return next
    }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        core.ports.advance(to: now, into: &output)
        ipv4.expire(&core, at: now)
        ipv6.expire(&core, at: now)
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll() }
        return events
    }
}

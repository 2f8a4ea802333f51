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
///   never comes by; see `LoadBalancer+DirectReturn.swift`.
/// - Fragments for fast-path and per-packet services are dropped (`fragment`): only the first says which session.
/// - The balancer is no router: what is neither for it nor of a session is dropped (`not-a-router`).
public struct LoadBalancer: ~Copyable, Appliance {
    public let configuration: LoadBalancerConfiguration
    var ports: BoxPorts
    // Tables of either family, reached by `BalancedTuple`.
    let ipv4Flows: UnsafeMutablePointer<FlowTable<BalancerFlow<IPv4>>>
    let ipv6Flows: UnsafeMutablePointer<IPv6FlowTable<BalancerFlow<IPv6>>>
    let ipv4Mappings: UnsafeMutablePointer<FlowTable<DatagramMapping<IPv4Address>>>
    let ipv6Mappings: UnsafeMutablePointer<IPv6FlowTable<DatagramMapping<IPv6Address>>>
    let services: UnsafeMutablePointer<VirtualService>
    /// VIP, port, protocol → service
    var listeners = EndpointTable()
    /// Members of per-packet services without source translation, whose answers are known by nothing else → service
    var answerers = EndpointTable()
    /// What monitors of services with direct server return ask: a member's address and port → service << 16 | member
    var monitored = EndpointTable()
    /// Two for each port, TCP and UDP, of its IPv4 address; behind all of them the same for IPv6
    let translators: UnsafeMutablePointer<TranslationPorts>
    var events: [ApplianceEvent] = []

    /// How long a TCP session that is over is kept for its last packets, in nanoseconds.
    static var linger: Int64 { 1_000_000_000 }
    /// How long a TCP session may take to be answered, in nanoseconds.
    static var opening: Int64 { 30_000_000_000 }

    /// - Parameters:
    ///   - flowCapacity: the most sessions at a time, and the most mappings of per-packet services
    ///   - seed: decides which translation port comes first and how flows are scattered in their table; the same seed
    ///     and frames give the same frames
    /// - Throws: a service that cannot work, and why
    public init(
        _ configuration: LoadBalancerConfiguration, flowCapacity: Int = 65_536, seed: UInt64 = 0,
        neighborTiming: NeighborTiming = NeighborTiming()
    ) throws(ConfigurationError) {
        var ports = try BoxPorts(
            configuration.ports, routes: configuration.routes, neighborTiming: neighborTiming)
        try Self.check(configuration, ports)
        self.configuration = configuration
        let scatter = Maglev.mix(seed)
        // A family in which no service listens has no sessions.
        func capacity(_ family: IPVersion) -> Int {
            configuration.services.contains { $0.address.family == family } ? flowCapacity : 1
        }
        ipv4Flows = .allocate(capacity: 1)
        ipv4Flows.initialize(to: FlowTable(capacity: capacity(.ipv4), seed: scatter))
        ipv6Flows = .allocate(capacity: 1)
        ipv6Flows.initialize(to: IPv6FlowTable(capacity: capacity(.ipv6), seed: scatter))
        ipv4Mappings = .allocate(capacity: 1)
        ipv4Mappings.initialize(to: FlowTable(capacity: capacity(.ipv4), seed: scatter))
        ipv6Mappings = .allocate(capacity: 1)
        ipv6Mappings.initialize(to: IPv6FlowTable(capacity: capacity(.ipv6), seed: scatter))
        services = .allocate(capacity: max(1, configuration.services.count))
        for (index, service) in configuration.services.enumerated() {
            (services + index).initialize(to: VirtualService(service))
            _ = listeners.insert(UInt32(index), at: service.address, service.port, service.profile.transport)
            let port = configuration.port(of: service.address)
            ports.own(service.address, on: port, answering: ports[port].mac, isShared: service.directReturn != nil)
            for (place, member) in service.monitoredMembers {
                _ = monitored.insert(UInt32(index) << 16 | UInt32(place), at: member.address, member.port, .tcp)
            }
            for address in service.http?.sourceAddresses ?? [] {
                let port = configuration.port(of: address)
                ports.own(address, on: port, answering: ports[port].mac)
            }
            guard service.profile == .udpPerPacket, service.sourceTranslation == .off, service.directReturn == nil
            else { continue }
            for member in service.members { _ = answerers.insert(UInt32(index), at: member.address, member.port, .udp) }
        }
        translators = .allocate(capacity: max(1, ports.count * 4))
        for index in 0..<(ports.count * 4) {
            (translators + index).initialize(to: TranslationPorts(start: Maglev.mix(seed &+ UInt64(index) &+ 1)))
        }
        self.ports = ports
    }

    deinit {
        services.deinitialize(count: configuration.services.count)
        services.deallocate()
        translators.deinitialize(count: ports.count * 4)
        translators.deallocate()
        ipv4Flows.deinitialize(count: 1)
        ipv4Flows.deallocate()
        ipv6Flows.deinitialize(count: 1)
        ipv6Flows.deallocate()
        ipv4Mappings.deinitialize(count: 1)
        ipv4Mappings.deallocate()
        ipv6Mappings.deinitialize(count: 1)
        ipv6Mappings.deallocate()
    }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        for index in 0..<ports.count {
            let port = PortIndex(index)
            for (address, mac) in ports.owned.all(on: port) where !(address.ipv6?.isLinkLocal ?? false) {
                ports.announce(address, at: mac, on: port, into: &output)
            }
        }
        events.append(ApplianceEvent(.ready, at: now))
    }

    public var deadline: Instant? {
        // Asked for every batch: no array.
        var next = ports.deadline
        if let other = ipv4Flows.pointee.deadline, next.map({ other < $0 }) ?? true { next = other }
        if let other = ipv6Flows.pointee.deadline, next.map({ other < $0 }) ?? true { next = other }
        if let other = ipv4Mappings.pointee.deadline, next.map({ other < $0 }) ?? true { next = other }
        if let other = ipv6Mappings.pointee.deadline, next.map({ other < $0 }) ?? true { next = other }
        return next
    }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        ports.advance(to: now, into: &output)
        expire(IPv4.self, at: now)
        expire(IPv6.self, at: now)
    }

    private mutating func expire<Tuple: BalancedTuple>(_ family: Tuple.Type, at now: Instant) {
        let (flows, mappings) = (Tuple.flows(of: self), Tuple.mappings(of: self))
        while let index = flows.pointee.nextExpired(at: now) {
            ports.counters.count(flows.pointee[index].progress.isOver ? .flowsClosed : .flowsExpired)
            end(Tuple.self, index)
        }
        while let index = mappings.pointee.nextExpired(at: now) {
            ports.counters.count(.flowsExpired)
            let mapping = mappings.pointee[index]
            releasePort(Tuple.self, mapping.translationPort, of: mapping.translationOwner, true)
            mappings.pointee.remove(index)
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll() }
        return events
    }

    // MARK: Sessions

    /// Forgets a session and gives back what it held.
    mutating func end<Tuple: BalancedTuple>(_ family: Tuple.Type, _ index: FlowIndex) {
        let flows = Tuple.flows(of: self)
        let flow = flows.pointee[index]
        if flow.translationPort != 0 {
            let transport = services[Int(flow.service)].transport
            releasePort(Tuple.self, flow.translationPort, of: flow.translationOwner, transport == .udp)
        }
        if flow.kind == .client { services[Int(flow.service)].removeSession(from: Int(flow.member)) }
        flows.pointee.remove(index)
    }

    mutating func takePort<Tuple: BalancedTuple>(_ family: Tuple.Type, of port: PortIndex, isUDP: Bool) -> UInt16? {
        translators[translator(family, port, isUDP)].take()
    }

    mutating func releasePort<Tuple: BalancedTuple>(
        _ family: Tuple.Type, _ number: UInt16, of port: PortIndex, _ isUDP: Bool
    ) {
        translators[translator(family, port, isUDP)].release(number)
    }

    private func translator<Tuple: BalancedTuple>(_ family: Tuple.Type, _ port: PortIndex, _ isUDP: Bool) -> Int {
        (Tuple.version == .ipv4 ? 0 : ports.count * 2) + Int(port) * 2 + (isUDP ? 1 : 0)
    }
}

extension LoadBalancerConfiguration {
    /// The port whose network has an address; the first one for an address that other routers send here.
    func port(of address: IPAddress) -> PortIndex {
        PortIndex(ports.firstIndex { $0.networks.contains { $0.contains(address) } } ?? 0)
    }
}

public import Configuration
public import Dataplane
import LabEvents
public import LabTime
public import Redundancy
public import Wire

/// A routed, stateful firewall, alone or as one of an active-passive pair.
///
/// The Active of a pair owns the virtual addresses, forwards, and tells its peer of every session. The Backup drops
/// whatever is not for its own addresses (`DropReason.standby`), and applies what it is told. Which box is which is
/// decided by an `Election`; this type carries its actions out on real frames.
///
/// RFC 9568's Accept_Mode is false: the Active answers ARP for the virtual addresses and forwards, but nothing on the
/// box listens on them.
public struct Firewall: ~Copyable, Appliance {
    public let name: String
    let portNames: [String]
    var ports: BoxPorts
    var filter: SessionEngine<IPv4>
    /// What the peer is to know of the filter's sessions.
    var journal: SessionJournal<IPv4>
    var fragments: FragmentTable<IPv4>
    var translation: FirewallTranslation
    let surroundings: NATSurroundings
    /// Where the configuration's are not to count.
    let fixedTimers: SessionTimers?
    let redundancy: FirewallRedundancy?
    var election: Election
    var channel: SyncChannel
    /// Whether transit traffic passes: always for a lone firewall, and for the Active of a pair.
    var isForwarding: Bool
    /// Lost the role to a rival, which has not been told of this box's sessions yet.
    var hasPendingSync = false
    var tally = RedundancyTally()
    var events: [ApplianceEvent] = []
    var policy: FirewallPolicy
    /// nil without a peer on a cross-connect.
    var agreement: ConfigurationAgreement?
    /// When the virtual addresses are announced again, and how often that has happened.
    var announceAt: Instant?
    var announcements = 0
    var becameActiveAt = Instant(nanoseconds: 0)
    /// Where messages are put together that may have to wait for the peer's MAC address.
    let scratch: UnsafeMutableRawPointer
    /// Packets that wait until the peer knows their session.
    var deferred: DeferredPackets
    /// Frames of the conduit by the worker that got them.
    var workers: [UInt64]
    var portsWithoutCarrier = 0
    /// When each reason to refuse the peer's messages was told last.
    var refusalsTold: [WireError.Reason: Instant] = [:]
    var unknownRuleToldAt: Instant?
    var strangerToldAt: Instant?
    /// When a life of the peer that does not count yet was last answered.
    var answeredAt: Instant?
    var unknownPoolToldAt: Instant?
    var pinholeLimits = EventLimits<PinholeEventKind>()
    let rules: PairRules

    /// - Parameters:
    ///   - sessionCapacity: the most sessions, where the configuration's number is not to count
    ///   - timers: how long a session without packets lives; nil: as the configuration's NAT has it, or the standard
    ///   - suspended: rules of the pair that this box breaks, for a simulation that is to notice
    /// - Throws: what in the configuration cannot be, in a sentence for people
    public init(
        _ configuration: FirewallConfiguration, sessionCapacity: Int? = nil, timers: SessionTimers? = nil,
        suspending suspended: PairRules = []
    ) throws(ConfigurationError) {
        var redundancy: FirewallRedundancy?
        if let pair = configuration.redundancy {
            redundancy = try FirewallRedundancy(pair, of: configuration.name, ports: configuration.ports)
        } else {
            redundancy = nil
        }
        redundancy?.settings.rules.subtract(suspended)
        let pairRules = redundancy?.settings.rules ?? .all
        var ports = try BoxPorts(configuration.ports, routes: configuration.routes)
        if redundancy?.routers.first?.usesVirtualMAC == true {
            // The Backup takes such frames, too, so that it can count them as what they are: the Active's.
            for router in redundancy?.routers ?? [] { ports.accept(router.mac, on: router.port) }
        }
        let surroundings = NATSurroundings(configuration)
        if let nat = configuration.nat { try surroundings.check(nat) }
        let rules = try configuration.policy.compiled(
            for: configuration.ports.map(\.name), of: configuration.name)
        name = configuration.name
        portNames = configuration.ports.map(\.name)
        self.ports = ports
        let sessionCapacity = sessionCapacity ?? configuration.sessionCapacity
        var nat = SourceNAT<IPv4>(
            configuration.nat, of: configuration.name, peer: redundancy?.peer, capacity: sessionCapacity)
        nat.machineAddresses = configuration.ports.compactMap(\.address?.address) + surroundings.neighbors
        fragments = FragmentTable<IPv4>()
        self.ports.nextIdentification = nat.share == .second ? 0x8000 : 1
        self.surroundings = surroundings
        fixedTimers = timers
        translation = FirewallTranslation()
        _ = translation.update(from: nat, self.ports, redundancy?.routers ?? [])
        filter = SessionEngine<IPv4>(
            capacity: sessionCapacity, timers: timers ?? configuration.nat?.timers.sessions ?? .standard, rules: rules,
            otherwise: configuration.policy.otherwise, nat: nat, gateways: configuration.applicationGateways)
        filter.inspector.categories = CategoryTable(configuration.categories.map { ($0.name, $0.domains) })
        journal = SessionJournal<IPv4>(capacity: redundancy == nil ? 0 : sessionCapacity)
        self.rules = pairRules
        workers = [UInt64](repeating: 0, count: redundancy?.conduit?.workers ?? 0)
        deferred = DeferredPackets(
            bound: redundancy?.deferral ?? .zero, capacity: redundancy?.deferral == nil ? 0 : Self.deferralCapacity)
        let running = RunningConfiguration(
            policy: configuration.policy, nat: RunningNAT(configuration: configuration.nat))
        policy = FirewallPolicy(running: running, translation: running.nat)
        self.redundancy = redundancy
        election = Election(
            redundancy?.settings
                ?? ElectionSettings(
                    priority: 1, preempts: false, advertisementInterval: .seconds(1), heartbeat: nil,
                    routerAddresses: [], ownAddress: .any, peerAddress: .any))
        channel = SyncChannel(
            messageSize: redundancy?.crossConnect?.messageSize ?? 256,
            sender: redundancy?.crossConnect?.ownAddress.rawValue ?? 1,
            heartbeatInterval: redundancy?.settings.heartbeat?.interval ?? .seconds(1),
            key: redundancy?.key, coalescing: redundancy?.deferral == nil ? .milliseconds(1) : .zero,
            window: redundancy?.crossConnect == nil ? 1 : 64, rules: pairRules)
        isForwarding = redundancy == nil
        scratch = .allocate(byteCount: FrameQueue.longestFrame, alignment: 64)
        if redundancy == nil { ownPoolAddresses() }
    }

    deinit { scratch.deallocate() }

    /// Most packets that wait for the peer.
    static var deferralCapacity: Int { 512 }

    /// The role in the pair; Active for a lone firewall.
    public var role: VirtualRouter.State { redundancy == nil ? .active : election.role }

    /// Sessions that the box knows, of its own or from its peer.
    public var sessionCount: Int { filter.count }

    /// Whether the box knows a session with this flow, in either direction.
    public func knows(_ flow: FiveTuple) -> Bool { filter.table.find(flow) != nil }

    /// Whether the peer has consumed every record of every session.
    public var isPeerUpToDate: Bool { election.receivesHeartbeat && !channel.hasUnacknowledged && !journal.hasRecords }

    /// Further static routes, from a routing daemon on the host side for instance.
    /// - Returns: false where no connected network has the gateway
    @discardableResult
    public mutating func addRoute(to destination: IPv4Network, via gateway: IPv4Address) -> Bool {
        ports.addRoute(to: destination, via: gateway)
    }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        guard redundancy != nil else {
            return report(.ready, at: now, [.role: role.rawValue, .reason: "stands alone"])
        }
        if let cross = redundancy?.crossConnect {
            agreement = ConfigurationAgreement(
                .standard(
                    messageSize: cross.messageSize - (redundancy?.key == nil ? 0 : SyncAuthenticator.length)),
                running: items(of: policy.running),
                // The life that the heartbeats name, too.
                epoch: UInt64(max(1, now.nanoseconds)), isAuthenticated: redundancy?.key != nil)
        }
        ports.keepGatewaysKnown(from: now)
        election.start(at: now)
        carryOut(at: now, into: &output)
    }

    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        // Only here: `advance` may follow `process` before the output is transmitted.
        deferred.reclaim()
        if isForwarding, frames.count > 1, filter.isWorthPrefetching {
            for frame in frames {
                if let flow = FiveTuple(glancingAt: UnsafeRawBufferPointer(frame.bytes)) { filter.prefetch(flow) }
            }
        }
        for frame in frames { handle(frame, at: now, into: &output) }
        tellPinholes(at: now)
        settlePoolAddresses(at: now, into: &output)
        flush(at: now, into: &output)
    }

    public var deadline: Instant? {
        var next = ports.deadline
        func consider(_ candidate: Instant?) {
            if let candidate, next.map({ candidate < $0 }) ?? true { next = candidate }
        }
        consider(filter.deadline)
        consider(translationDeadline)
        if redundancy != nil {
            consider(election.deadline)
            consider(channel.deadline)
            consider(announceAt)
            consider(deferred.deadline)
            consider(agreement?.deadline)
        }
        return next
    }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        ports.advance(to: now, into: &output)
        filter.advance(to: now, reporting: &journal)
        advanceTranslation(to: now, into: &output)
        settlePoolAddresses(at: now, into: &output)
        guard redundancy != nil else { return }
        if let due = deferred.deadline, due <= now { releaseDeferred(at: now, into: &output) }
        election.advance(to: now)
        carryOut(at: now, into: &output)
        if let due = announceAt, due <= now { announceAddresses(at: now, into: &output) }
        agreement?.advance(to: now)
        carryOutAgreement(at: now, into: &output)
        flush(at: now, into: &output)
    }

    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .switchover: return switchOver(at: now, into: &output)
        case .carrier(let port, let isUp): return setCarrier(of: port, isUp: isUp, at: now, into: &output)
        case .member(let service, _, _), .weight(let service, _, _):
            return .refused(reason: "\(name) is a firewall and has no virtual service '\(service)'")
        case .routes(let routes): return ports.takeOver(routes)
        case .connections:
            filter.advance(to: now, reporting: &journal)
            return .connections(connections(at: now) + pinholes(at: now))
        case .policy(let order): return performPolicy(order, at: now, into: &output)
        case .fault: return .refused(reason: "\(name) is a firewall and no in-line element")
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll() }
        return events
    }

    mutating func report(_ kind: EventKind, at now: Instant, _ details: EventDetails) {
        events.append(ApplianceEvent(kind, at: now, details: details))
    }
}

public import Configuration
public import Dataplane
import LabEvents
public import LabTime
public import Redundancy
public import Wire

/// A routed, stateful firewall, alone or as one of an active-passive pair.
///
/// The Active of a pair owns the virtual addresses, forwards, and sends its peer every session. The Backup drops
/// whatever is not for its own addresses (`DropReason.standby`), and applies what it receives. Which box is which is
/// decided by an `Election`; this type carries its actions out on real frames.
///
/// | part | owns |
/// |---|---|
/// | `ports` | links, addresses, neighbours, routes |
/// | `filter` | sessions, policy, mappings |
/// | `translation` | addresses of pools, fragments, SYNs that nobody asked for |
/// | `pair` | election, session channel and journal; nil for a lone firewall |
/// | `conduit` | data frames on the cross-connect; nil where there are none |
/// | `policy` | the configuration in effect, and the agreement on the next one |
/// | `log` | events |
///
/// A frame takes this way: `process`, `handle`, `forward`, `send`, `leave`.
///
/// RFC 9568's Accept_Mode is false: the Active answers ARP for the virtual addresses and forwards, but nothing on the
/// box listens on them.
public struct Firewall: ~Copyable, Appliance {
    public let name: String
    var ports: BoxPorts
    var filter: SessionEngine<IPv4>
    var translation = FirewallTranslation()
    var pair: PairMember?
    /// Whether transit traffic passes: always for a lone firewall, and for the Active of a pair. Each frame asks.
    var isForwarding: Bool
    var conduit: Conduit?
    var policy: FirewallPolicy
    var log = FirewallLog()

    /// - Parameters:
    ///   - sessionCapacity: the most sessions, where the configuration's number is not to count
    ///   - timers: how long a session without packets lasts; nil: as the configuration's NAT has it, or the standard
    ///   - suspended: rules of the pair that this box breaks, for a simulation that is to notice
    /// - Throws: what in the configuration cannot be, in a sentence for people
    public init(
        _ configuration: FirewallConfiguration, sessionCapacity: Int? = nil, timers: SessionTimers? = nil,
        suspending suspended: PairRules = []
    ) throws(ConfigurationError) {
        let sessionCapacity = sessionCapacity ?? configuration.sessionCapacity
        var settings: PairSettings?
        if let pair = configuration.redundancy {
            settings = try PairSettings(pair, of: configuration.name, ports: configuration.ports)
        }
        settings?.election.rules.subtract(suspended)
        var ports = try BoxPorts(configuration.ports, routes: configuration.routes)
        let policy = try FirewallPolicy(configuration, timers: timers)
        let rules = try policy.rules(of: policy.running)
        var nat = SourceNAT<IPv4>(
            configuration.nat, of: configuration.name, peer: settings?.peer, capacity: sessionCapacity)
        nat.machineAddresses = configuration.machineAddresses
        ports.nextIdentification = nat.share == .second ? 0x8000 : 1
        for router in settings?.routers ?? [] where router.usesVirtualMAC {
            // The Backup takes such frames, too, so that it can count them as what they are: the Active's.
            ports.accept(router.mac, on: router.port)
        }
        _ = translation.addresses.update(from: nat, ports, settings?.routers ?? [])
        name = configuration.name
        filter = SessionEngine<IPv4>(
            capacity: sessionCapacity, timers: policy.timers(of: policy.running.nat), rules: rules,
            otherwise: configuration.policy.otherwise, nat: nat, gateways: configuration.applicationGateways)
        filter.inspector.categories = CategoryTable(configuration.categories.map { ($0.name, $0.domains) })
        self.ports = ports
        self.policy = policy
        if let wanted = settings?.conduit, let cross = settings?.crossConnect {
            conduit = Conduit(wanted, over: cross)
        } else {
            conduit = nil
        }
        isForwarding = settings == nil
        if let settings {
            pair = PairMember(settings, sessionCapacity: sessionCapacity)
        } else {
            pair = nil
            ownPoolAddresses()
        }
    }

    /// nil for a lone firewall.
    var pairSettings: PairSettings? {
        switch pair {
        case .some(let member): member.settings
        case .none: nil
        }
    }

    /// The role in the pair; Active for a lone firewall.
    public var role: VirtualRouter.State {
        switch pair {
        case .some(let member): member.election.role
        case .none: .active
        }
    }

    /// Sessions that the box knows, of its own or from its peer.
    public var sessionCount: Int { filter.count }

    /// Whether the box knows a session with this flow, in either direction.
    public func knows(_ flow: FiveTuple) -> Bool { filter.table.find(flow) != nil }

    /// Whether the peer has consumed every record of every session.
    public var isPeerUpToDate: Bool {
        switch pair {
        case .some(let member): member.isPeerUpToDate
        case .none: false
        }
    }

    /// Further static routes, from a routing daemon on the host side for instance.
    /// - Returns: false where no connected network has the gateway
    @discardableResult
    public mutating func addRoute(to destination: IPv4Network, via gateway: IPv4Address) -> Bool {
        ports.addRoute(to: destination, via: gateway)
    }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        guard let settings = pair?.settings else {
            return log.report(.ready, at: now, [.role: role.rawValue, .reason: "stands alone"])
        }
        if let cross = settings.crossConnect {
            policy.agreement = ConfigurationAgreement(
                .standard(messageSize: cross.messageSize - (settings.key == nil ? 0 : SyncAuthenticator.length)),
                running: policy.items(of: policy.running),
                // The boot epoch that the heartbeats name, too.
                epoch: UInt64(max(1, now.nanoseconds)), isAuthenticated: settings.key != nil)
        }
        ports.keepGatewaysKnown(from: now)
        pair?.election.start(at: now)
        carryOutElection(at: now, into: &output)
    }

    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        // Only here: `advance` may follow `process` before the output is transmitted.
        pair?.deferred.reclaim()
        prefetchSessions(of: frames)
        for frame in frames { handle(frame, at: now, into: &output) }
        reportPinholes(at: now)
        settlePoolAddresses(at: now, into: &output)
        flush(at: now, into: &output)
    }

    private func prefetchSessions(of frames: UnsafeBufferPointer<Frame>) {
        guard frames.count > 1, filter.isWorthPrefetching, isForwarding else { return }
        for frame in frames {
            if let flow = FiveTuple(glancingAt: UnsafeRawBufferPointer(frame.bytes)) { filter.prefetch(flow) }
        }
    }

    public var deadline: Instant? {
        var next = ports.deadline
        func consider(_ candidate: Instant?) {
            if let candidate, next.map({ candidate < $0 }) ?? true { next = candidate }
        }
        consider(filter.deadline)
        consider(translation.deadline)
        switch pair {
        case .some(let member):
            consider(member.deadline)
            consider(policy.agreement?.deadline)
        case .none: break
        }
        return next
    }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        ports.advance(to: now, into: &output)
        filter.advance(to: now, reporting: &pair)
        advanceTranslation(to: now, into: &output)
        settlePoolAddresses(at: now, into: &output)
        guard pair != nil else { return }
        if let due = pair?.deferred.deadline, due <= now { releaseDeferred(at: now, into: &output) }
        pair?.election.advance(to: now)
        carryOutElection(at: now, into: &output)
        if let due = pair?.announcements.dueAt, due <= now { announceAddresses(into: &output) }
        policy.agreement?.advance(to: now)
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
            filter.advance(to: now, reporting: &pair)
            return .connections(connections(at: now) + pinholes(at: now))
        case .clear(let meant):
            filter.end(where: { meant.matches($0) }, reporting: &pair)
            flush(at: now, into: &output)
            return .done
        case .policy(let order): return performPolicy(order, at: now, into: &output)
        case .fault: return .refused(reason: "\(name) is a firewall and no in-line element")
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] { log.take() }
}

extension FirewallConfiguration {
    /// Of interfaces and of machines that the box knows; see `SourceNAT.machineAddresses`.
    fileprivate var machineAddresses: [IPv4Address] {
        ports.compactMap(\.address?.address) + NATSurroundings(self).neighbors
    }
}

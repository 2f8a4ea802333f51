public import Configuration
public import Dataplane
import LabEvents
public import LabTime
import Wire

/// A gateway firewall: a stateful filter between two ports, transparent or routed.
///
/// | interface filters | a packet that comes in by it | a packet that leaves by it |
/// |---|---|---|
/// | `off` | passes | passes |
/// | `inbound-only` | is judged | passes; it neither makes nor touches a state |
/// | `both` | is judged | is judged, unless it was when it came in |
///
/// Fragments leave as they came, in the order of the datagram's first; what is decided about that one holds for all of
/// them, and those that overtook it wait. Products put the datagram together instead, judge it, and cut it again: for
/// sender and receiver that is the same.
///
/// A packet is judged once, and states are not tied to an interface. The same holds for what the box's own host side
/// sends and receives. Transparent: IPv4 is judged, ARP and every other protocol passes, addresses stay as they are,
/// and the box answers nothing but misfits. Source: VMware article 322035
public struct GatewayFirewall: ~Copyable, Appliance {
    public let configuration: GatewayFirewallConfiguration
    var ports: BoxPorts
    var states: StateTable
    var fragments = FragmentTable<IPv4>()
    let filtering: [PortFiltering]
    var events: [ApplianceEvent] = []
    var limits = EventLimits<StateEvent>()

    /// - Parameters:
    ///   - stateCapacity: the most states; when so many exist, new connections are refused
    ///   - seed: scatters the hash of five-tuples
    /// - Throws: what in the configuration cannot be, in a sentence for people
    public init(
        _ configuration: GatewayFirewallConfiguration, stateCapacity: Int = 65_536, seed: UInt64 = 1
    ) throws(ConfigurationError) {
        guard configuration.filtering.count == configuration.ports.count else {
            throw ConfigurationError(
                "'\(configuration.name)' has \(configuration.ports.count) ports, but \(configuration.filtering.count) of them say what they filter"
            )
        }
        if configuration.mode == .transparent {
            guard configuration.ports.count == 2 else {
                throw ConfigurationError(
                    "the transparent gateway firewall '\(configuration.name)' joins two ports; it has \(configuration.ports.count)"
                )
            }
            guard configuration.ports[0].mtu == configuration.ports[1].mtu else {
                throw ConfigurationError(
                    "the ports of the transparent gateway firewall '\(configuration.name)' have MTU \(configuration.ports[0].mtu) and \(configuration.ports[1].mtu); give both networks the same"
                )
            }
        }
        let ports = try BoxPorts(configuration.ports, routes: configuration.routes)
        self.configuration = configuration
        filtering = configuration.filtering
        self.ports = ports
        states = StateTable(
            capacity: stateCapacity, profile: configuration.profile, midStreamPickup: configuration.midStreamPickup,
            outOfStatePolicy: configuration.outOfStatePolicy, timers: configuration.timers, seed: seed)
    }

    /// Connections that the box knows.
    public var stateCount: Int { states.count }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        events.append(
            ApplianceEvent(
                .ready, at: now,
                details: [.mode: configuration.mode.rawValue, .profile: configuration.profile.rawValue]))
    }

    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        // A state whose time has come is not met any more, give or take a tick of the wheel.
        expire(at: now)
        for frame in frames { handle(frame, at: now, into: &output) }
    }

    public var deadline: Instant? {
        var next = ports.deadline
        func consider(_ candidate: Instant?) {
            if let candidate, next.map({ candidate < $0 }) ?? true { next = candidate }
        }
        consider(states.deadline)
        consider(fragments.deadline)
        return next
    }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        ports.advance(to: now, into: &output)
        ports.counters.drop(.fragment, times: fragments.advance(to: now))
        expire(at: now)
    }

    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        let name = configuration.name
        switch command {
        case .routes(let routes): return ports.takeOver(routes)
        case .connections:
            expire(at: now)
            return .connections(connections(at: now))
        case .carrier(let port, let isUp):
            guard let index = configuration.ports.firstIndex(where: { $0.name == port }) else {
                let names = configuration.ports.map(\.name).joined(separator: ", ")
                return .refused(reason: "\(name) has no port '\(port)'; its ports are \(names)")
            }
            ports.setCarrier(of: PortIndex(index), isUp: isUp)
            return .done
        case .clear(let meant):
            states.remove { meant.matches($0) }
            return .done
        case .fault: return .refused(reason: "\(name) is a gateway firewall and no in-line element")
        case .policy:
            return .refused(reason: "\(name) is a gateway firewall; only a firewall has rules that can be changed")
        case .switchover:
            return .refused(reason: "\(name) is a gateway firewall without a peer; only a firewall pair switches over")
        case .member(let service, _, _), .weight(let service, _, _):
            return .refused(reason: "\(name) is a gateway firewall and has no virtual service '\(service)'")
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        // Asked for every batch: giving the array away would make a new one each time.
        if events.isEmpty { return [] }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }
}

public import Configuration
public import Dataplane
public import LabEvents
public import LabTime
import Wire

/// A switch: it learns the source address of each frame, forwards to the port behind which the destination is, and
/// floods what goes to a group or to an address that it does not know. Source: IEEE 802.1Q-2022, 8.6 to 8.8
///
/// | destination | goes to |
/// |---|---|
/// | known, behind another port | that port |
/// | known, behind the port that it came from | nowhere (`filtered`) |
/// | unknown, or a group | every other port with carrier |
/// | 01-80-C2-00-00-00 to 0F, which is for the switch itself | nowhere (`filtered`): it implements none of those protocols |
///
/// A port that loses its carrier loses its addresses. A MAC address that appears behind another port moves at once,
/// which is what a gratuitous ARP after a failover is for.
public struct Switch: ~Copyable, Appliance {
    public let configuration: SwitchConfiguration
    var ports: BoxPorts
    var table: MACTable
    private var tally = Tally()
    private var events: [ApplianceEvent] = []
    private var limits = EventLimits<Report>()

    private struct Tally {
        var learned: UInt64 = 0
        var moved: UInt64 = 0
        var notLearned: UInt64 = 0
        var flooded: UInt64 = 0
        var filtered: UInt64 = 0
    }

    private enum Report: Int, CaseIterable {
        case moved, tableFull
    }

    /// - Throws: what in the configuration cannot be, in a sentence for people
    public init(_ configuration: SwitchConfiguration) throws(ConfigurationError) {
        guard (2...SwitchConfiguration.mostPorts).contains(configuration.ports.count) else {
            throw ConfigurationError(
                "the switch '\(configuration.name)' has \(configuration.ports.count) ports; allowed are 2 … \(SwitchConfiguration.mostPorts)"
            )
        }
        guard Set(configuration.ports.map(\.mtu)).count == 1 else {
            throw ConfigurationError(
                "the ports of the switch '\(configuration.name)' have MTU \(configuration.ports.map { "\($0.mtu)" }.joined(separator: ", ")); give its networks the same"
            )
        }
        let ports = try BoxPorts(configuration.ports, routes: [])
        self.configuration = configuration
        self.ports = ports
        table = MACTable(capacity: configuration.tableSize, ageing: configuration.ageing)
    }

    // MARK: Appliance

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        events.append(ApplianceEvent(.ready, at: now))
    }

    public mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        for frame in frames { forward(frame, at: now, into: &output) }
    }

    private mutating func forward(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        // 14: an Ethernet header; 18 with a VLAN tag, which stays on its frame.
        guard Int(frame.port) < ports.count, frame.side == .wire, frame.length >= 14,
            Int(frame.length) <= Int(ports[frame.port].mtu) + 18
        else { return ports.counters.drop(.malformedFrame) }
        ports.counters.count(.receivedFromWire)
        let base = UnsafeRawPointer(frame.base)
        // What waited when the port lost its carrier teaches nothing: the station is not behind it any more.
        if ports[frame.port].isUp { learn(base.readMAC(at: 6), on: frame.port, at: now) }
        let destination = base.readMAC(at: 0)
        if destination.isReservedGroup {
            tally.filtered &+= 1
        } else if destination.packed >> 40 & 1 == 0, let port = table.port(of: destination, at: now) {
            if port == frame.port {
                tally.filtered &+= 1
            } else {
                ports.passThrough(frame, by: port, into: &output)
            }
        } else {
            tally.flooded &+= 1
            var isSent = false
            for port in 0..<PortIndex(ports.count) where port != frame.port && ports[port].isUp {
                ports.passThrough(frame, by: port, into: &output)
                isSent = true
            }
            if !isSent { ports.counters.drop(.carrierDown) }
        }
    }

    private mutating func learn(_ mac: MACAddress, on port: PortIndex, at now: Instant) {
        switch table.learn(mac, on: port, at: now) {
        case .known, .invalidSource: break
        case .learned: tally.learned &+= 1
        case .moved(let old):
            tally.moved &+= 1
            guard limits.take(.moved, at: now) else { return }
            report(.macMoved, at: now, [.address: mac.description, .from: name(of: old), .to: name(of: port)])
        case .tableFull:
            tally.notLearned &+= 1
            guard limits.take(.tableFull, at: now) else { return }
            report(.macTableFull, at: now, [.address: mac.description, .interface: name(of: port)])
        }
    }

    private func name(of port: PortIndex) -> String { configuration.ports[Int(port)].name }

    private mutating func report(_ kind: EventKind, at now: Instant, _ details: EventDetails) {
        events.append(ApplianceEvent(kind, at: now, details: details))
    }

    public var deadline: Instant? { table.deadline }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) { table.expire(at: now) }

    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .carrier(let port, let isUp):
            guard let index = configuration.ports.firstIndex(where: { $0.name == port }) else {
                let names = configuration.ports.map(\.name).joined(separator: ", ")
                return .refused(reason: "\(configuration.name) has no port '\(port)'; its ports are \(names)")
            }
            ports.setCarrier(of: PortIndex(index), isUp: isUp)
            if !isUp { table.removeAll(on: PortIndex(index)) }
            return .done
        // Its kernel has routes of its own at most, which concern no frame of the wire side.
        case .routes: return .done
        default: return .refused(reason: "\(configuration.name) is a switch; it takes no such command")
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    public var counters: [CounterReading] {
        ports.counters.readings() + [
            CounterReading(.macAddresses, table.count), CounterReading(.macLearned, tally.learned),
            CounterReading(.macMoved, tally.moved), CounterReading(.macAged, table.aged),
            CounterReading(.macNotLearned, tally.notLearned), CounterReading(.switchFlooded, tally.flooded),
            CounterReading(.switchFiltered, tally.filtered), CounterReading(.eventsSuppressed, limits.suppressed),
        ]
    }
}

extension MACAddress {
    /// 01-80-C2-00-00-00 to 0F, which no bridge forwards. Source: IEEE 802.1Q-2022, table 8-1
    fileprivate var isReservedGroup: Bool { packed & ~0xf == 0x0180_c200_0000 }
}

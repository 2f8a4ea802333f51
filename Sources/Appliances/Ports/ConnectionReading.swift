import Dataplane
import Wire

/// One connection of a box's table, for people and for the run's events.
public struct ConnectionReading: Hashable, Sendable, Codable, CustomStringConvertible {
    /// `10.0.0.3:443`; the address alone where the protocol has no ports.
    public var source: String
    public var destination: String
    /// `in` or `out`: how the first packet crossed the interface that filters it; nil where states float between all.
    public var direction: String?
    /// `tcp`, `udp`, `icmp`, or the number.
    public var `protocol`: String
    /// `CLOSING:CLOSED`, the source's state first; of a kernel's socket its only one.
    public var state: String
    /// The interface that filtered the first packet.
    public var interface: String?
    /// The timer that will end it: `first-packet`.
    public var timer: String?
    /// Time until then, if no packet comes.
    public var remaining: Duration?
    /// What the box makes of it, where it translates: `10.0.0.5:4000 -> 10.0.0.11:80`.
    public var translated: String?

    public init(
        source: String, destination: String, direction: String? = nil, protocol: String, state: String,
        interface: String? = nil, timer: String? = nil, remaining: Duration? = nil, translated: String? = nil
    ) {
        self.source = source
        self.destination = destination
        self.direction = direction
        self.protocol = `protocol`
        self.state = state
        self.interface = interface
        self.timer = timer
        self.remaining = remaining
        self.translated = translated
    }

    /// As the product's command shows it: `10.0.0.3:443 -> 10.0.0.1:4000 dir in protocol tcp state CLOSING:CLOSED`
    public var description: String {
        flow + (direction.map { " dir \($0)" } ?? "") + " protocol \(`protocol`) state \(state)"
            + (translated.map { " as \($0)" } ?? "")
    }

    /// `10.0.0.3:443 -> 10.0.0.1:4000`
    public var flow: String { "\(source) -> \(destination)" }
}

/// A box's connection table, as far as it is shown.
public struct ConnectionList: Hashable, Sendable, Codable {
    public var connections: [ConnectionReading]
    /// How many the box has; more than are shown where the table is large.
    public var total: Int

    public init(connections: [ConnectionReading], total: Int) {
        self.connections = connections
        self.total = total
    }

    /// Connections that one answer shows at most.
    public static var most: Int { 5000 }

    /// One list after the other, as one.
    public static func + (a: ConnectionList, b: ConnectionList) -> ConnectionList {
        ConnectionList(connections: Array((a.connections + b.connections).prefix(most)), total: a.total + b.total)
    }
}

extension FlowKey {
    /// `10.0.0.3:443 -> 10.0.0.1:4000`
    var connectionWords: String { "\(sourceWords) -> \(destinationWords)" }
    /// The address alone where the protocol has no ports.
    var sourceWords: String { words(source, sourcePort) }
    var destinationWords: String { words(destination, destinationPort) }

    private func words(_ address: Family.Address, _ port: UInt16) -> String {
        let hasPorts = `protocol` == .tcp || `protocol` == .udp || `protocol` == Family.controlProtocol
        return hasPorts ? address.erased.endpoint(port: port) : "\(address)"
    }
}

extension IPFlowTable {
    /// The table as a person reads it.
    /// - Complexity: O(n) in the table's connections, as far as they are shown
    borrowing func connections(_ reading: (FlowIndex) -> ConnectionReading) -> ConnectionList {
        var readings: [ConnectionReading] = []
        var index = next(after: nil)
        while let place = index, readings.count < ConnectionList.most {
            readings.append(reading(place))
            index = next(after: place)
        }
        return ConnectionList(connections: readings, total: count)
    }
}

/// One connection of a box's table, for people and for the run's events.
public struct ConnectionReading: Hashable, Sendable, Codable, CustomStringConvertible {
    /// `10.0.0.3:443`; the address alone where the protocol has no ports.
    public var source: String
    public var destination: String
    /// `in` or `out`: how the first packet crossed the interface that filters it.
    public var direction: String
    /// `tcp`, `udp`, `icmp`, or the number.
    public var `protocol`: String
    /// `CLOSING:CLOSED`, the source's state first.
    public var state: String
    /// The interface that filtered the first packet.
    public var interface: String
    /// The timer that will end it: `first-packet`.
    public var timer: String
    /// Time until then, if no packet comes.
    public var remaining: Duration

    /// As the product's command shows it: `10.0.0.3:443 -> 10.0.0.1:4000 dir in protocol tcp state CLOSING:CLOSED`
    public var description: String {
        "\(flow) dir \(direction) protocol \(`protocol`) state \(state)"
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
}

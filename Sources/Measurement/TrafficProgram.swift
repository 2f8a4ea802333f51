public import Wire

/// A resolved traffic program: source, target, cadence and timeout of its requests.
///
/// Every program is open loop: probe n is due at start + n × `every`, whatever happened to the probes before it.
public struct TrafficProgram: Sendable {
    /// Its name in the lab (`existing`, `new`).
    public var name: String
    /// Its kind, with the options that only this kind has.
    public var options: any TrafficKind
    /// The node on which it runs.
    public var from: String
    public var target: IPAddress
    /// 0 where its packets have none.
    public var port: UInt16
    /// Flows at the same time; 1 for the kinds that open a new one for each probe.
    public var flows: Int
    /// Cadence of one flow; also the resolution of every gap that is reported.
    public var every: Duration
    /// Bytes of a request and of its answer, at least 32.
    public var payload: Int
    /// How long an application waits for an answer before it gives up: `patience` in lab files.
    public var timeout: Duration

    public init(
        name: String, options: any TrafficKind, from: String, target: IPAddress, port: UInt16, flows: Int = 1,
        every: Duration, payload: Int, timeout: Duration
    ) {
        self.name = name
        self.options = options
        self.from = from
        self.target = target
        self.port = port
        self.flows = flows
        self.every = every
        self.payload = payload
        self.timeout = timeout
    }

    public var kind: Kind { Kind(type(of: options)) }

    /// Of its packets.
    public var transport: IPProtocol { kind.type.transport ?? (target.isIPv4 ? .icmp : .icmpv6) }

    /// Its options, where it is of this kind.
    public func options<Own: TrafficKind>(of kind: Own.Type) -> Own? { options as? Own }
}

extension TrafficProgram: Hashable {
    private var parts: [AnyHashable] {
        [name, options.hashable, from, target, port, flows, every, payload, timeout]
    }

    public static func == (one: Self, other: Self) -> Bool { one.parts == other.parts }
    public func hash(into hasher: inout Hasher) { hasher.combine(parts) }
}

/// The options of the program's kind stand beside the others, as in the files of all earlier versions.
extension TrafficProgram: Codable {
    private enum Key: String, CodingKey {
        case name, kind, from, target, port, flows, every, payload
        case timeout = "patience"
    }

    /// What files have of every kind, whether it has this option or not.
    private struct OfEveryKind: Encodable {
        var retryEvery = UDPRequestTraffic().retryEvery
        var exchanges = TCPConnectTraffic().exchanges
        var path = HTTPRequestTraffic().path
        var usesTLS = HTTPRequestTraffic().usesTLS
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let kind = try values.decode(Kind.self, forKey: .kind)
        self.init(
            name: try values.decode(String.self, forKey: .name), options: try kind.type.init(from: decoder),
            from: try values.decode(String.self, forKey: .from),
            target: try values.decode(IPAddress.self, forKey: .target),
            port: try values.decode(UInt16.self, forKey: .port), flows: try values.decode(Int.self, forKey: .flows),
            every: try values.decode(Duration.self, forKey: .every),
            payload: try values.decode(Int.self, forKey: .payload),
            timeout: try values.decode(Duration.self, forKey: .timeout))
    }

    public func encode(to encoder: any Encoder) throws {
        try OfEveryKind().encode(to: encoder)
        // Its own replace those of every kind.
        try options.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(kind, forKey: .kind)
        try values.encode(from, forKey: .from)
        try values.encode(target, forKey: .target)
        try values.encode(port, forKey: .port)
        try values.encode(flows, forKey: .flows)
        try values.encode(every, forKey: .every)
        try values.encode(payload, forKey: .payload)
        try values.encode(timeout, forKey: .timeout)
    }
}

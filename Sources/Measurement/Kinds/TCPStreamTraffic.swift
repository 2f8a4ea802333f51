/// Long-lived TCP connections; a numbered request and its answer at a fixed cadence on each.
public struct TCPStreamTraffic: TrafficKind {
    public static let name = "tcp-stream"
    public static let summary = "long-lived TCP connections; a numbered request and its answer at each interval"
    public static let keys =
        [RequestSizes.key] + TCPSocketOptions.keys + [TrafficKey.reconnect, .maximumAge]
    public static let example =
        #"{ from: client, to: "server:8080", kind: tcp-stream, flows: 20, every: 10ms, sizes: [64, 9000], keepalive: { idle: 1s, interval: 2s, count: 3 }, user-timeout: 500ms, reconnect: { after: 50ms, at-most: 1s, attempts: 10 }, max-age: 10s }"#
    public static let server: ServerProgram.Kind? = .tcpEcho
    public static let opensFlowForEachProbe = false

    /// Bytes of the requests of a flow, in turn.
    public var sizes: [Int]?
    public var tcp: TCPSocketOptions?
    public var reconnect: Reconnect?
    /// After which a connection is followed by another one.
    public var maximumAge: Duration?

    public init(
        sizes: [Int]? = nil, tcp: TCPSocketOptions? = nil, reconnect: Reconnect? = nil, maximumAge: Duration? = nil
    ) {
        self.sizes = sizes
        self.tcp = tcp
        self.reconnect = reconnect
        self.maximumAge = maximumAge
    }

    public init() { self.init(sizes: nil) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        Self(
            sizes: RequestSizes.read(written), tcp: TCPSocketOptions.read(written),
            reconnect: Reconnect.read(written), maximumAge: written.maximumAge)
    }

    public var times: [(name: String, value: Duration)] {
        (tcp?.times ?? []) + (reconnect?.times ?? []) + (maximumAge.map { [("maximumAge", $0)] } ?? [])
    }

    public var trace: AnswerTrace { .bytes }
}

extension TrafficProgram.Kind {
    public static let tcpStream = Self(TCPStreamTraffic.self)
}

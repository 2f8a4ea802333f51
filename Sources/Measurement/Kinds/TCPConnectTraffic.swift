/// A new TCP connection for every probe: handshake, one exchange (unless switched off), close.
public struct TCPConnectTraffic: TrafficKind {
    public static let name = "tcp-connect"
    public static let summary = "a new TCP connection for each request: handshake, one exchange, close"
    public static let keys =
        [
            TrafficKey(
                "exchange", usual: "on",
                "whether a request and its answer follow the handshake. off: only opens and closes"
            ), RequestSizes.key,
        ] + TCPSocketOptions.keys
    public static let example =
        #"{ from: client, to: "server:8080", kind: tcp-connect, exchange: on, every: 50ms, sizes: [32, 1400], keepalive: { idle: 1s }, user-timeout: 1s }"#
    public static let server: ServerProgram.Kind? = .tcpEcho
    public static let opensFlowForEachProbe = true
    public static let hasConnectStatistics = true

    /// Whether one request and its answer follow the handshake.
    public var exchanges: Bool
    /// Bytes of the requests, in turn.
    public var sizes: [Int]?
    public var tcp: TCPSocketOptions?

    public init(exchanges: Bool, sizes: [Int]? = nil, tcp: TCPSocketOptions? = nil) {
        self.exchanges = exchanges
        self.sizes = sizes
        self.tcp = tcp
    }

    public init() { self.init(exchanges: true) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        let exchanges = written.flag("exchange") ?? true
        if !exchanges, written.has(RequestSizes.key.name) {
            written.report("without an 'exchange' there are no requests", atKey: RequestSizes.key.name, allowed: [])
        }
        return Self(exchanges: exchanges, sizes: RequestSizes.read(written), tcp: TCPSocketOptions.read(written))
    }

    public var times: [(name: String, value: Duration)] { tcp?.times ?? [] }

    public var trace: AnswerTrace { exchanges ? .bytes : .connection }
}

extension TrafficProgram.Kind {
    public static let tcpConnect = Self(TCPConnectTraffic.self)
}

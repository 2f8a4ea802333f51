/// A new TCP connection for every probe: handshake, one exchange (unless switched off), close.
public struct TCPConnectTraffic: TrafficKind {
    public static let name = "tcp-connect"
    public static let summary = "a new TCP connection for each request: handshake, one exchange, close"
    public static let keys = [
        TrafficKey(
            "exchange", usual: "on", "whether a request and its answer follow the handshake. off: only opens and closes"
        )
    ]
    public static let example = #"{ from: client, to: "server:8080", kind: tcp-connect, exchange: off, every: 50ms }"#
    public static let server: ServerProgram.Kind? = .tcpEcho
    public static let opensFlowForEachProbe = true
    public static let hasConnectStatistics = true

    /// Whether one request and its answer follow the handshake.
    public var exchanges: Bool

    public init(exchanges: Bool) { self.exchanges = exchanges }
    public init() { self.init(exchanges: true) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        Self(exchanges: written.flag("exchange") ?? true)
    }

    public var trace: AnswerTrace { exchanges ? .bytes : .connection }
}

extension TrafficProgram.Kind {
    public static let tcpConnect = Self(TCPConnectTraffic.self)
}

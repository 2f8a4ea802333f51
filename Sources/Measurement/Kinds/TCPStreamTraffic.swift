/// Long-lived TCP connections; a numbered request and its answer at a fixed cadence on each.
public struct TCPStreamTraffic: TrafficKind {
    public static let name = "tcp-stream"
    public static let summary = "long-lived TCP connections; a numbered request and its answer at each interval"
    public static let example = #"{ from: client, to: "server:8080", kind: tcp-stream, flows: 20, every: 10ms }"#
    public static let server: ServerProgram.Kind? = .tcpEcho
    public static let opensFlowForEachProbe = false

    public init() {}

    public var trace: AnswerTrace { .bytes }
}

extension TrafficProgram.Kind {
    public static let tcpStream = Self(TCPStreamTraffic.self)
}

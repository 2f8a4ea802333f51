/// Long-lived UDP flows; a numbered request and its answer at a fixed cadence on each.
public struct UDPTraffic: TrafficKind {
    public static let name = "udp"
    public static let summary = "long-lived UDP flows; a numbered request and its answer at each interval"
    public static let example = #"{ from: client, to: "server:53", kind: udp, flows: 3, every: 10ms }"#
    public static let server: ServerProgram.Kind? = .udpEcho
    public static let opensFlowForEachProbe = false

    public init() {}

    public var trace: AnswerTrace { .datagrams }
}

extension TrafficProgram.Kind {
    public static let udp = Self(UDPTraffic.self)
}

/// Long-lived flows of ICMP echo requests, over IPv4 or IPv6; a numbered request and its answer at a fixed cadence on
/// each, as ping(8) sends them: an outage ends no flow.
public struct PingTraffic: TrafficKind {
    public static let name = "ping"
    public static let summary = "ICMP echo requests at each interval, see [below](#kind-ping)"
    public static let keys = [TrafficKey.count]
    public static let example = "{ from: client, to: server, kind: ping, every: 50ms, count: 10, patience: 500ms }"
    public static let server: ServerProgram.Kind? = nil
    public static let opensFlowForEachProbe = false
    /// Every raw socket gets each echo reply of its peer: the work grows with the square of their number.
    public static let mostFlows = 100
    public static let needsServerItself: String? = "ICMP echo has no port"

    /// After how many requests a flow ends; nil where it goes on until the program is stopped.
    public var count: Int?

    public init(count: Int?) { self.count = count }
    public init() { self.init(count: nil) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        Self(count: written.integer(TrafficKey.count.name, in: 1...1_000_000))
    }

    public var trace: AnswerTrace { .datagrams }
    public var numbers: [(name: String, value: Int)] { count.map { [("count", $0)] } ?? [] }
}

extension TrafficProgram.Kind {
    public static let ping = Self(PingTraffic.self)
}

extension TrafficKey {
    static let count = TrafficKey(
        "count", usual: "until it is stopped", "number of requests of each flow; a command without `every` runs once")
}

/// Long-lived UDP flows; a numbered request and its answer at a fixed cadence on each.
public struct UDPTraffic: TrafficKind {
    public static let name = "udp"
    public static let summary = "long-lived UDP flows; a numbered request and its answer at each interval"
    public static let keys = [RequestSizes.key, Burst.key, Rebinding.key]
    public static let example =
        #"{ from: client, to: "server:53", kind: udp, flows: 3, every: 10ms, sizes: [64, 512], burst: 2, rebind: { requests: 10 } }"#
    public static let server: ServerProgram.Kind? = .udpEcho
    public static let opensFlowForEachProbe = false

    /// Bytes of the requests of a flow, in turn.
    public var sizes: [Int]?
    /// Datagrams that are sent at once; nil for one.
    public var burst: Int?
    public var rebinding: Rebinding?

    public init(sizes: [Int]? = nil, burst: Int? = nil, rebinding: Rebinding? = nil) {
        self.sizes = sizes
        self.burst = burst
        self.rebinding = rebinding
    }

    public init() { self.init(sizes: nil) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        Self(sizes: RequestSizes.read(written), burst: Burst.read(written), rebinding: Rebinding.read(written))
    }

    public var numbers: [(name: String, value: Int)] { burst.map { [("burst", $0)] } ?? [] }

    public var trace: AnswerTrace { .datagrams }
}

extension TrafficProgram.Kind {
    public static let udp = Self(UDPTraffic.self)
}

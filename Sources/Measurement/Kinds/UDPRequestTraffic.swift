/// A new UDP source port for every probe; an unanswered request is repeated, as a DNS client would.
public struct UDPRequestTraffic: TrafficKind {
    public static let name = "udp-request"
    public static let summary = "a new UDP source port for each request; unanswered requests are repeated"
    public static let keys = [TrafficKey.retryEvery]
    public static let example =
        #"{ from: client, to: "server:53", kind: udp-request, every: 50ms, retry-every: 100ms }"#
    public static let server: ServerProgram.Kind? = .udpEcho
    public static let opensFlowForEachProbe = true

    /// After how long an unanswered request is repeated.
    public var retryEvery: Duration

    public init(retryEvery: Duration) { self.retryEvery = retryEvery }
    public init() { self.init(retryEvery: .milliseconds(300)) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        written.retryEvery.map { Self(retryEvery: $0) } ?? Self()
    }

    public var trace: AnswerTrace { .datagrams }
    public var times: [(name: String, value: Duration)] { [("retryEvery", retryEvery)] }
}

extension TrafficProgram.Kind {
    public static let udpRequest = Self(UDPRequestTraffic.self)
}

extension TrafficKey {
    static let retryEvery = TrafficKey("retry-every", usual: "300 ms", "retransmission interval")
}

extension WrittenTraffic {
    var retryEvery: Duration? { duration(TrafficKey.retryEvery.name, in: .milliseconds(1)...(.seconds(3600))) }
}

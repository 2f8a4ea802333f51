/// A new UDP source port for every probe; an unanswered request is repeated, as a DNS client would.
public struct UDPRequestTraffic: TrafficKind {
    public static let name = "udp-request"
    public static let summary = "a new UDP source port for each request; unanswered requests are repeated"
    public static let keys = [TrafficKey.retryEvery, RequestSizes.key, Burst.key]
    public static let example =
        #"{ from: client, to: "server:53", kind: udp-request, every: 50ms, retry-every: 100ms, sizes: [64, 512], burst: 2 }"#
    public static let server: ServerProgram.Kind? = .udpEcho
    public static let opensFlowForEachProbe = true

    /// After how long an unanswered request is repeated.
    public var retryEvery: Duration
    /// Bytes of the requests, in turn.
    public var sizes: [Int]?
    /// Requests that are sent at once, all of which are to be answered; nil for one.
    public var burst: Int?

    public init(retryEvery: Duration, sizes: [Int]? = nil, burst: Int? = nil) {
        self.retryEvery = retryEvery
        self.sizes = sizes
        self.burst = burst
    }

    public init() { self.init(retryEvery: .milliseconds(300)) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        Self(
            retryEvery: written.retryEvery ?? Self().retryEvery, sizes: RequestSizes.read(written),
            burst: Burst.read(written))
    }

    public var numbers: [(name: String, value: Int)] { burst.map { [("burst", $0)] } ?? [] }

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

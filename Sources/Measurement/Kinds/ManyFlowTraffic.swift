public import Wire

/// Very many long-lived UDP flows without a socket of their own; one request of each in every round.
public struct ManyFlowTraffic: TrafficKind {
    public static let name = "udp-crowd"
    public static let summary = "very many UDP flows, see [below](#kind-udp-crowd)"
    public static let keys = [
        TrafficKey.retryEvery,
        TrafficKey("sources", usual: "the node's own address", "a network of the node's `loopback`"),
        TrafficKey("spread", usual: "`every`", "time over which the requests of a round are spread"),
    ]
    public static let example =
        #"{ from: client, to: "server:7", kind: udp-crowd, flows: 5000, sources: 10.64.0.0/25, every: 4s, spread: 3s, retry-every: 100ms }"#
    public static let server: ServerProgram.Kind? = .udpEcho
    public static let opensFlowForEachProbe = false
    /// About 300 MB in the client.
    public static let mostFlows = 1_000_000
    public static let sumsFlows = true
    /// Source ports, each with a socket, that a program may have.
    public static let mostPorts = 1024

    /// Where its flows come from, and when they send their requests.
    public struct Rounds: Hashable, Sendable, Codable {
        /// The client's addresses that they come from, one after the other; nil for the one that the kernel chooses.
        public var sources: IPv4Network?
        /// The requests of a round leave within this time, evenly; the rest of `every` is silent.
        public var spread: Duration

        public init(sources: IPv4Network? = nil, spread: Duration) {
            self.sources = sources
            self.spread = spread
        }
    }

    public var rounds: Rounds
    /// After how long a flow without an answer repeats its request between the rounds.
    public var retryEvery: Duration

    private enum CodingKeys: String, CodingKey {
        case rounds = "crowd"
        case retryEvery
    }

    public init(_ rounds: Rounds, retryEvery: Duration = UDPRequestTraffic().retryEvery) {
        self.rounds = rounds
        self.retryEvery = retryEvery
    }

    public init() { self.init(Rounds(spread: .milliseconds(100))) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        let every = program.every
        var own = Self(Rounds(spread: written.duration("spread", in: .zero...every) ?? every))
        own.retryEvery = written.retryEvery ?? own.retryEvery
        if let text = written.text("sources") {
            let networks = program.loopbackNetworks
            let sources = IPv4Network(text)
            own.rounds.sources = sources
            if sources.map({ network in networks.contains { $0.contains(network) } }) != true {
                written.report(
                    "'sources' is \(written.found("sources"))"
                        + (sources == nil ? "" : ", which '\(program.from)' does not have"),
                    atValueOf: "sources",
                    allowed: networks.isEmpty
                        ? ["a network of the node's loopback, such as loopback: 10.64.0.0/24"]
                        : networks.map(\.description))
                return own
            }
        }
        own.checkPorts(of: program.flows, written)
        return own
    }

    private func checkPorts(of flows: Int, _ written: some WrittenTraffic) {
        let addresses = rounds.sources.map { $0.hosts.lowerBound.distance(to: $0.hosts.upperBound) + 1 } ?? 1
        let ports = (flows - 1) / addresses + 1
        guard ports > Self.mostPorts else { return }
        written.report(
            "\(flows) flows from \(addresses) address\(addresses == 1 ? "" : "es") take \(ports) source ports of each",
            atKey: "flows",
            allowed: [
                "at most \(Self.mostPorts) source ports: \(addresses * Self.mostPorts) flows, or more 'sources'"
            ])
    }

    public mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool {
        guard rounds.sources != nil, target.address.family == .ipv6 else { return true }
        written.report("'sources' are of IPv4, but the target is \(target.endpoint)", atValueOf: "sources")
        return false
    }

    public var trace: AnswerTrace { .datagrams }

    public var times: [(name: String, value: Duration)] { [("retryEvery", retryEvery), ("spread", rounds.spread)] }
}

extension TrafficProgram.Kind {
    public static let udpManyFlows = Self(ManyFlowTraffic.self)
}

public import Wire

/// A kind of traffic: its name, how a lab file writes the options that only it has, and what its flows are on the wire.
///
/// A value holds the options of one program. They are encoded beside those of every kind, under their own names.
public protocol TrafficKind: Hashable, Sendable, Codable {
    /// Its name in the lab file: `tcp-stream`.
    static var name: String { get }
    /// What its flows are, for the reference.
    static var summary: String { get }
    /// Its keys of a traffic program, besides those of every kind.
    static var keys: [TrafficKey] { get }
    /// A program of a lab with the nodes `client`, whose loopback has 10.64.0.0/24, and `server`, which serves HTTP on
    /// port 80 and leaves 53/udp to a program.
    static var example: String { get }
    /// The server of failoverlab's own that answers it; nil where none does. Then a program of the lab answers or,
    /// without a `transport`, the kernel of whoever has the address.
    static var server: ServerProgram.Kind? { get }
    /// Of the packets of every program of the kind; nil of ICMP echo, which has no ports, and where the program says it.
    /// Default: the server's.
    static var transport: IPProtocol? { get }
    /// The port of a target that is written without one; nil where the port must be written.
    static var defaultPort: UInt16? { get }
    /// Whether every probe is a flow, and a `FlowResult`, of its own.
    static var opensFlowForEachProbe: Bool { get }
    /// Of one program, where not every probe is a flow.
    static var mostFlows: Int { get }
    /// Of a kind of which every probe is a flow: whether `flows` of them begin at each interval.
    static var opensSeveralAtOnce: Bool { get }
    /// Probes of one program that are open at the same time, at most.
    static var mostAtOnce: Int { get }
    /// Whether its packets have ports.
    static var hasPort: Bool { get }
    /// Whether its flows share sockets, and their figures are sums: only disturbed flows are listed.
    static var sumsFlows: Bool { get }
    /// Why a balancer's service cannot be its target; nil where one can.
    static var needsServerItself: String? { get }
    /// Whether its answers have a status.
    static var hasStatuses: Bool { get }
    /// Whether its result has the figures that a TCP ping prints.
    static var hasConnectStatistics: Bool { get }

    /// The options of a program that writes none.
    init()

    /// Reads its keys; what is wrong is reported, and then has its default.
    static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self

    /// Takes from the target what the lab file leaves to it.
    /// - Returns: false after a report that the program cannot have this target
    mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool

    /// What an answered request leaves in the client's captures.
    var trace: AnswerTrace { get }
    /// Of its packets; nil for ICMP echo.
    var transport: IPProtocol? { get }
    /// What the sockets of its TCP connections get; nil for nothing.
    var tcp: TCPSocketOptions? { get }
    /// How long an application waits for an answer where the lab file has no `patience`; nil for the usual time.
    var usualTimeout: Duration? { get }
    /// Bytes of its requests, in turn; nil where all have the program's `payload`.
    var sizes: [Int]? { get }
    /// How a flow goes on after its connection has failed; nil where it ends.
    var reconnect: Reconnect? { get }
    /// Its options that are numbers and times, by their names in files: those of a run's folder are checked.
    var numbers: [(name: String, value: Int)] { get }
    var times: [(name: String, value: Duration)] { get }
}

extension TrafficKind {
    var hashable: AnyHashable { AnyHashable(self) }

    public static var keys: [TrafficKey] { [] }
    public static var transport: IPProtocol? { server?.transport }
    public static var defaultPort: UInt16? { nil }
    public static var mostFlows: Int { 1000 }
    public static var opensSeveralAtOnce: Bool { false }
    public static var mostAtOnce: Int { 1024 }
    public static var hasPort: Bool { transport != nil }
    public static var sumsFlows: Bool { false }
    public static var needsServerItself: String? { nil }
    public static var hasStatuses: Bool { false }
    public static var hasConnectStatistics: Bool { false }
    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self { Self() }
    public mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool { true }
    public var transport: IPProtocol? { Self.transport }
    public var tcp: TCPSocketOptions? { nil }
    public var usualTimeout: Duration? { nil }
    public var sizes: [Int]? { nil }
    public var reconnect: Reconnect? { nil }
    public var numbers: [(name: String, value: Int)] { [] }
    public var times: [(name: String, value: Duration)] { [] }
}

/// What an answered request leaves in the client's captures.
public enum AnswerTrace: Hashable, Sendable {
    /// A datagram in each direction.
    case datagrams
    /// `payload` bytes in each direction.
    case bytes
    /// A connection, and nothing more.
    case connection
    /// A frame with payload in each direction; of answers whose status can be read, with the client's.
    case payload(showsStatus: Bool)
    /// A frame to the server; where it was answered, one to the client as well.
    case frames(answered: Bool)
}

/// The target of a program, once it is resolved.
public struct TrafficTarget: Hashable, Sendable {
    public var address: IPAddress
    public var port: UInt16
    /// Whether it is a balancer's service with TLS.
    public var usesTLS: Bool

    public init(address: IPAddress, port: UInt16, usesTLS: Bool = false) {
        self.address = address
        self.port = port
        self.usesTLS = usesTLS
    }

    /// `192.0.2.1:80`
    var endpoint: String { address.endpoint(port: port) }
}

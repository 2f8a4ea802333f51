public import Wire

/// What a traffic program does, resolved: who asks whom, how often, and how patient it is.
///
/// Every program is open loop: probe n is due at start + n × `every`, whatever became of the probes before it.
public struct TrafficProgram: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Long-lived TCP connections; a numbered request and its answer at a fixed cadence on each.
        case tcpStream = "tcp-stream"
        /// A new TCP connection for every probe: handshake, one exchange (unless switched off), close.
        case tcpConnect = "tcp-connect"
        /// Long-lived UDP flows; a numbered request and its answer at a fixed cadence on each.
        case udp
        /// So many long-lived UDP flows that none has a socket of its own; one request of each in every round.
        case udpCrowd = "udp-crowd"
        /// A new UDP source port for every probe; an unanswered request is repeated, as a DNS client would.
        case udpRequest = "udp-request"
        /// A new TCP connection for every probe: one GET, its answer with a status, close.
        case httpRequest = "http-request"
        /// Long-lived FTP control connections; a file over a data connection of its own at a fixed cadence on each.
        case ftp
    }

    /// The lab's word for it (`existing`, `new`).
    public var name: String
    public var kind: Kind
    /// The node on which it runs.
    public var from: String
    public var target: IPAddress
    public var port: UInt16
    /// Flows at the same time (`tcp-stream`, `udp`, `udp-crowd`); 1 for the kinds that open a new one for each probe.
    public var flows: Int
    /// Cadence of one flow; also the resolution of every gap that is reported.
    public var every: Duration
    /// Bytes of a request and of its answer, at least 32.
    public var payload: Int
    /// How long an application waits for an answer before it gives up.
    public var patience: Duration
    /// After how long `udp-request` repeats an unanswered request, and `udp-crowd` asks again between its rounds.
    public var retryEvery: Duration
    /// Whether `tcp-connect` exchanges one request and answer after the handshake.
    public var exchanges: Bool
    /// The request target of `http-request`.
    public var path: String
    /// Whether `http-request` speaks TLS. The certificate is not judged: it is a lab's.
    public var usesTLS: Bool
    /// What `ftp` transfers; nil for the other kinds.
    public var transfer: FileTransfer?
    /// Of `udp-crowd`; nil for the other kinds.
    public var crowd: Crowd?

    /// How the flows of `udp-crowd` are told apart, and when they ask.
    public struct Crowd: Hashable, Sendable, Codable {
        /// The client's addresses that they come from, in turn; nil for the one that the kernel chooses.
        public var sources: IPv4Network?
        /// The requests of a round leave within this time, evenly; the rest of `every` is silent.
        public var spread: Duration

        /// Source ports, each with a socket, that a crowd may have.
        public static let mostPorts = 1024
        /// Flows that a crowd may have: about 300 MB in the client.
        public static let mostFlows = 1_000_000

        public init(sources: IPv4Network? = nil, spread: Duration) {
            self.sources = sources
            self.spread = spread
        }
    }

    public init(
        name: String, kind: Kind, from: String, target: IPAddress, port: UInt16, flows: Int, every: Duration,
        payload: Int, patience: Duration, retryEvery: Duration, exchanges: Bool,
        path: String = "/", usesTLS: Bool = false, transfer: FileTransfer? = nil,
        crowd: Crowd? = nil
    ) {
        self.name = name
        self.kind = kind
        self.from = from
        self.target = target
        self.port = port
        self.flows = flows
        self.every = every
        self.payload = payload
        self.patience = patience
        self.retryEvery = retryEvery
        self.exchanges = exchanges
        self.path = path
        self.usesTLS = usesTLS
        self.transfer = transfer
        self.crowd = crowd
    }
}

/// What a backend or client listens to and answers.
public struct ServerProgram: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Returns every byte of a TCP connection.
        case tcpEcho = "tcp-echo"
        /// Returns every datagram.
        case udpEcho = "udp-echo"
        /// HTTP/1.1: 200 with the node's name, any path.
        case http
        /// FTP: any user, files whose name is their length in bytes.
        case ftp
    }

    /// What an HTTP server does with a request.
    public enum Answer: String, Hashable, Sendable, Codable, CaseIterable {
        /// 200 with the node's name.
        case page
        /// Closes the connection instead of answering.
        case closeEarly = "close-early"
        /// Answers with bytes that are no HTTP, and closes.
        case garbage
        /// Answers nothing and keeps the connection.
        case silence
    }

    public var kind: Kind
    public var port: UInt16
    /// How long an HTTP server thinks before it answers.
    public var delay: Duration
    /// Of an HTTP server.
    public var answer: Answer
    /// Whether an HTTP server keeps a connection for further requests.
    public var keepsAlive: Bool

    public init(kind: Kind, port: UInt16, delay: Duration = .zero, answer: Answer = .page, keepsAlive: Bool = true) {
        self.kind = kind
        self.port = port
        self.delay = delay
        self.answer = answer
        self.keepsAlive = keepsAlive
    }
}

/// An HTTP request for every probe and its answer with a status: over a connection of its own, or over kept ones.
public struct HTTPRequestTraffic: TrafficKind {
    public static let name = "http-request"
    public static let summary =
        "HTTP/1.1 requests, each over a new TCP connection or over [kept ones](#kept-connections)"
    public static let keys =
        [
            TrafficKey("path", usual: "`/`", "the request target. A status from 400 up counts as refused"),
            TrafficKey(
                "tls", usual: "as the service", "whether it uses TLS, 1.2 or 1.3, with any certificate. off: plain HTTP"
            ),
            TrafficKey("method", usual: "GET", "GET, POST, PUT or DELETE"),
            TrafficKey("body", usual: "none", "bytes of the body of a POST or PUT; a list for several sizes, in turn"),
            TrafficKey(
                "reuse", usual: "off", "whether requests share kept connections, see [below](#kept-connections)"),
            TrafficKey(
                "retry", usual: "0",
                "how often a request whose connection fails before an answer is repeated over a new one; not of a POST"),
        ] + [TrafficKey.maximumAge] + TCPSocketOptions.keys
    public static let example =
        #"{ from: client, to: "server:80", kind: http-request, path: /health, tls: off, method: PUT, body: [100, 9000], reuse: on, retry: 1, max-age: 5s, keepalive: { idle: 1s }, user-timeout: 1s }"#
    public static let server: ServerProgram.Kind? = .http
    public static let opensFlowForEachProbe = true
    public static let hasStatuses = true

    /// The request target.
    public var path: String
    /// Any certificate is accepted: it is a lab's.
    public var usesTLS: Bool
    public var method: Method?
    /// Bytes of the bodies of its requests, in turn; nil for none.
    public var bodies: [Int]?
    /// Whether requests share connections that are kept between them; nil as off.
    public var reuses: Bool?
    /// How often a request whose connection fails before an answer is repeated; nil as 0.
    public var retries: Int?
    /// After which a kept connection takes no further request.
    public var maximumAge: Duration?
    public var tcp: TCPSocketOptions?

    /// Source: RFC 9110, 9.3
    public enum Method: String, Hashable, Sendable, Codable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"

        /// Whether a client may repeat it without knowing what became of the first. Source: RFC 9110, 9.2.2
        var isIdempotent: Bool { self != .post }
        var hasBody: Bool { self == .post || self == .put }
    }

    public init(
        path: String = "/", usesTLS: Bool, method: Method? = nil, bodies: [Int]? = nil, reuses: Bool? = nil,
        retries: Int? = nil, maximumAge: Duration? = nil, tcp: TCPSocketOptions? = nil
    ) {
        self.path = path
        self.usesTLS = usesTLS
        self.method = method
        self.bodies = bodies
        self.reuses = reuses
        self.retries = retries
        self.maximumAge = maximumAge
        self.tcp = tcp
    }

    public init() { self.init(usesTLS: false) }

    /// Bytes of the body of a flow's request; nil for a request that has none.
    public func bodyLength(flow: UInt32) -> Int? {
        guard (method ?? .get).hasBody else { return nil }
        guard let bodies, !bodies.isEmpty else { return 0 }
        return bodies[Int(flow) % bodies.count]
    }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        let path = written.text("path")
        if let path, !path.hasPrefix("/") || !path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            written.report(
                "'path' of a traffic program is \(written.found("path"))", atKey: "path",
                allowed: ["a path that begins with '/', without blanks"])
        }
        var own = Self(path: path ?? "/", usesTLS: written.flag("tls") ?? false)
        own.readRequests(written)
        own.readConnections(written)
        return own
    }

    private mutating func readRequests(_ written: some WrittenTraffic) {
        method = written.choice("method", as: Method.self)
        let method = method ?? .get
        bodies = written.integers("body", in: 0...1_000_000, most: 16)
        if written.has("body"), !method.hasBody {
            written.report(
                "a \(method.rawValue) has no body", atKey: "body",
                allowed: Method.allCases.filter(\.hasBody).map { "method: \($0.rawValue)" })
        }
        retries = written.integer("retry", in: 0...10)
        if let retries, retries > 0, !method.isIdempotent {
            written.report(
                "a \(method.rawValue) is not idempotent, so that no client may repeat it by itself", atKey: "retry",
                allowed: Method.allCases.filter(\.isIdempotent).map { "method: \($0.rawValue)" })
        }
    }

    private mutating func readConnections(_ written: some WrittenTraffic) {
        reuses = written.flag("reuse")
        maximumAge = written.maximumAge
        tcp = TCPSocketOptions.read(written)
        if maximumAge != nil, reuses != true {
            written.report(
                "without 'reuse' each connection ends with its request", atKey: TrafficKey.maximumAge.name,
                allowed: ["reuse: on"])
        }
    }

    public var numbers: [(name: String, value: Int)] {
        (retries.map { [("retries", $0)] } ?? []) + (bodies ?? []).map { ("bodies", $0) }
    }

    public var times: [(name: String, value: Duration)] {
        (tcp?.times ?? []) + (maximumAge.map { [("maximumAge", $0)] } ?? [])
    }

    public mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool {
        if !written.has("tls") { usesTLS = target.usesTLS }
        return true
    }

    public var trace: AnswerTrace { .payload(showsStatus: !usesTLS) }
}

extension TrafficProgram.Kind {
    public static let httpRequest = Self(HTTPRequestTraffic.self)
}

/// A new TCP connection for every probe: one GET, its answer with a status, close.
public struct HTTPRequestTraffic: TrafficKind {
    public static let name = "http-request"
    public static let summary = "a new TCP connection for each GET"
    public static let keys = [
        TrafficKey("path", usual: "`/`", "the request target. A status from 400 up counts as refused"),
        TrafficKey(
            "tls", usual: "as the service", "whether it uses TLS, 1.2 or 1.3, with any certificate. off: plain HTTP"),
    ]
    public static let example = #"{ from: client, to: "server:80", kind: http-request, path: /health, tls: off }"#
    public static let server: ServerProgram.Kind? = .http
    public static let opensFlowForEachProbe = true
    public static let hasStatuses = true

    /// The request target.
    public var path: String
    /// Any certificate is accepted: it is a lab's.
    public var usesTLS: Bool

    public init(path: String = "/", usesTLS: Bool) {
        self.path = path
        self.usesTLS = usesTLS
    }

    public init() { self.init(usesTLS: false) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        let path = written.text("path")
        if let path, !path.hasPrefix("/") || !path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            written.report(
                "'path' of a traffic program is \(written.found("path"))", atKey: "path",
                allowed: ["a path that begins with '/', without blanks"])
        }
        return Self(path: path ?? "/", usesTLS: written.flag("tls") ?? false)
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

import LabFile
import Measurement
import Wire

/// What a host serves: `services: { echo: [8080/tcp, 53/udp], http: 80, ftp: 21 }`, or of HTTP with what differs from a page at
/// once: `http: { port: 80, delay: 50ms, answer: close-early, keep-alive: off }`; and `none: [8081/tcp]`, ports that may be
/// asked and on which failoverlab serves nothing.
struct ServicesDefinition {
    private(set) var servers: [Located<ServerProgram>] = []
    /// A program may come to listen there, or nobody.
    private(set) var unserved: [Located<TransportPort>] = []
    private let node: String

    var programs: [ServerProgram] { servers.map(\.value) }

    init(_ value: LabValue, node: String, _ reader: LabReader) {
        self.node = node
        let what = "the services of '\(node)'"
        guard let mapping = MappingReader(value, what, keys: ["echo", "http", "ftp", "none"], reader) else { return }
        for element in mapping["echo"].map(reader.list) ?? [] {
            guard let (port, transport) = Self.port(element), let transport else {
                reader.report(
                    "an echo service is \(element.found)", at: element.position,
                    allowed: ["a port such as 8080/tcp or 53/udp"])
                continue
            }
            let kind: ServerProgram.Kind = transport == .tcp ? .tcpEcho : .udpEcho
            add(ServerProgram(kind: kind, port: port), at: element.position, reader)
        }
        for element in mapping["http"].map(reader.list) ?? [] { addHTTP(element, reader) }
        for element in mapping["ftp"].map(reader.list) ?? [] {
            guard let (port, transport) = Self.port(element), transport != .udp else {
                reader.report(
                    "an FTP service is \(element.found)", at: element.position, allowed: ["a port such as 21"])
                continue
            }
            add(ServerProgram(kind: .ftp, port: port), at: element.position, reader)
        }
        for element in mapping["none"].map(reader.list) ?? [] { addUnserved(element, reader) }
    }

    private mutating func addHTTP(_ element: LabValue, _ reader: LabReader) {
        var (target, options): (LabValue, MappingReader?) = (element, nil)
        if element.entries != nil {
            options = MappingReader(
                element, "an HTTP service", keys: ["port", "delay", "answer", "keep-alive"], reader)
            guard let port = options?.required("port") else { return }
            target = port
        }
        guard let (port, transport) = Self.port(target), transport != .udp else {
            return reader.report(
                "an HTTP service is \(element.found)", at: element.position, allowed: ["a port such as 80"])
        }
        var server = ServerProgram(kind: .http, port: port)
        if let options {
            server.delay = options.duration("delay", in: .zero...(.seconds(3600))) ?? server.delay
            server.answer = options.choice("answer") ?? server.answer
            server.keepsAlive = options.flag("keep-alive") ?? server.keepsAlive
        }
        add(server, at: element.position, reader)
    }

    private mutating func add(_ server: ServerProgram, at position: SourcePosition, _ reader: LabReader) {
        if let other = servers.first(where: { $0.value.transportPort == server.transportPort }) {
            return reader.report(
                "'\(node)' serves \(other.value.kind.rawValue) on port \(server.port) already", at: position)
        }
        servers.append(Located(value: server, position: position))
    }

    private mutating func addUnserved(_ element: LabValue, _ reader: LabReader) {
        guard let (port, transport) = Self.port(element), let transport else {
            return reader.report(
                "a port of 'none' is \(element.found)", at: element.position,
                allowed: ["a port such as 8080/tcp or 53/udp"])
        }
        let unserved = TransportPort(port, transport)
        if let other = servers.first(where: { $0.value.transportPort == unserved }) {
            return reader.report(
                "'\(node)' serves \(other.value.kind.rawValue) on port \(unserved), which 'none' says that it does not",
                at: element.position)
        }
        self.unserved.append(Located(value: unserved, position: element.position))
    }

    private static func port(_ value: LabValue) -> (UInt16, IPProtocol?)? {
        guard let text = value.text, let endpoint = EndpointText("any:" + text), endpoint.host == "any",
            let port = endpoint.port
        else { return nil }
        return (port, endpoint.transport)
    }
}

extension ServerProgram.Kind {
    /// The key of `services`.
    var key: String {
        switch self {
        case .tcpEcho, .udpEcho: "echo"
        case .http: "http"
        case .ftp: "ftp"
        }
    }
}

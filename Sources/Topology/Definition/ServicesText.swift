import LabFile
import Measurement
import Wire

/// What a host serves: `services: { echo: [8080/tcp, 53/udp], http: 80, ftp: 21 }`, or of HTTP with what differs from a page at
/// once: `http: { port: 80, delay: 50ms, answer: close-early, keep-alive: off }`.
enum ServicesText {
    static func read(_ value: LabValue, node: String, _ reader: LabReader) -> [ServerProgram] {
        guard let mapping = MappingReader(value, "the services of '\(node)'", keys: ["echo", "http", "ftp"], reader)
        else {
            return []
        }
        var servers: [ServerProgram] = []
        func add(
            _ kind: ServerProgram.Kind, _ port: UInt16, at position: SourcePosition,
            _ change: (inout ServerProgram) -> Void = { _ in }
        ) {
            if let other = servers.first(where: { $0.port == port && $0.kind.transport == kind.transport }) {
                reader.report("'\(node)' serves \(other.kind.rawValue) on port \(port) already", at: position)
                return
            }
            var server = ServerProgram(kind: kind, port: port)
            change(&server)
            servers.append(server)
        }
        for element in mapping["echo"].map(reader.list) ?? [] {
            guard let (port, transport) = port(element), let transport else {
                reader.report(
                    "an echo service is \(element.found)", at: element.position,
                    allowed: ["a port such as 8080/tcp or 53/udp"])
                continue
            }
            add(transport == .tcp ? .tcpEcho : .udpEcho, port, at: element.position)
        }
        for element in mapping["http"].map(reader.list) ?? [] {
            var (target, options): (LabValue, MappingReader?) = (element, nil)
            if element.entries != nil {
                options = MappingReader(
                    element, "an HTTP service", keys: ["port", "delay", "answer", "keep-alive"], reader)
                guard let port = options?.required("port") else { continue }
                target = port
            }
            guard let (port, transport) = port(target), transport != .udp else {
                reader.report(
                    "an HTTP service is \(element.found)", at: element.position, allowed: ["a port such as 80"])
                continue
            }
            add(.http, port, at: element.position) { server in
                guard let options else { return }
                server.delay = options.duration("delay", in: .zero...(.seconds(3600))) ?? server.delay
                server.answer = options.choice("answer") ?? server.answer
                server.keepsAlive = options.flag("keep-alive") ?? server.keepsAlive
            }
        }
        for element in mapping["ftp"].map(reader.list) ?? [] {
            guard let (port, transport) = port(element), transport != .udp else {
                reader.report(
                    "an FTP service is \(element.found)", at: element.position, allowed: ["a port such as 21"])
                continue
            }
            add(.ftp, port, at: element.position)
        }
        return servers
    }

    private static func port(_ value: LabValue) -> (UInt16, IPProtocol?)? {
        guard let text = value.text, let endpoint = EndpointText("any:" + text), endpoint.host == "any",
            let port = endpoint.port
        else { return nil }
        return (port, endpoint.transport)
    }
}

extension ServerProgram.Kind {
    var transport: IPProtocol { self == .udpEcho ? .udp : .tcp }
}

import LabFile
import Measurement
import Wire

/// What a host serves: `services: { echo: [8080/tcp, 53/udp], http: 80 }`.
enum ServicesText {
    static func read(_ value: LabValue, node: String, _ reader: LabReader) -> [ServerProgram] {
        guard let mapping = MappingReader(value, "the services of '\(node)'", keys: ["echo", "http"], reader) else {
            return []
        }
        var servers: [ServerProgram] = []
        func add(_ kind: ServerProgram.Kind, _ port: UInt16, at position: SourcePosition) {
            if let other = servers.first(where: { $0.port == port && $0.kind.transport == kind.transport }) {
                reader.report("'\(node)' serves \(other.kind.rawValue) on port \(port) already", at: position)
                return
            }
            servers.append(ServerProgram(kind: kind, port: port))
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
            guard let (port, transport) = port(element), transport != .udp else {
                reader.report(
                    "an HTTP service is \(element.found)", at: element.position, allowed: ["a port such as 80"])
                continue
            }
            add(.http, port, at: element.position)
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

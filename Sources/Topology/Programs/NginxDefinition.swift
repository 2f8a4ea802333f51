import Configuration
import LabFile
import Measurement
import Wire

/// nginx as a reverse proxy for HTTP, or with a configuration of the lab's own.
struct NginxDefinition: ProgramShortForm {
    static let name = "nginx"
    static let summary = "[nginx](#nginx) as a reverse proxy for HTTP"
    static let keys = ["listen", "upstreams", "config"]
    static let example = """
        nginx: { listen: 80, upstreams: [server:80] }
        """

    /// On every address of the node; several only with a configuration of the lab's own.
    var listened: [UInt16] = [80]
    var upstreams: [Located<EndpointText>] = []
    /// The whole `nginx.conf`; then the lab also says on which port to wait for it.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'nginx'", keys: Self.keys, reader) else { return nil }
        if let value = mapping["listen"] {
            listened = reader.list(value).compactMap {
                reader.integer($0, of: "'listen' of the program 'nginx'", in: 1...65_535).map { UInt16($0) }
            }
            if listened.isEmpty || listened.count > 1 && mapping["config"] == nil {
                reader.report(
                    "'listen' of the program 'nginx' has \(listened.count) ports", at: value.position,
                    allowed: ["one port", "several beside a 'config' that listens on them"])
            }
        }
        if let value = mapping["config"] {
            guard let text = mapping.text("config") else { return nil }
            configuration = Located(value: text, position: value.position)
            if mapping["upstreams"] != nil {
                reader.report(
                    "'config' is the whole nginx.conf, 'upstreams' included", at: mapping.keyPosition("upstreams"))
            }
            return
        }
        guard let list = mapping.required("upstreams") else { return nil }
        for element in reader.list(list) {
            guard let text = element.text, let endpoint = EndpointText(text), endpoint.transport == nil else {
                reader.report(
                    "an upstream is \(element.found)", at: element.position,
                    allowed: ["node:port, such as backend-1:80"])
                continue
            }
            upstreams.append(Located(value: endpoint, position: element.position))
        }
        if reader.list(list).isEmpty { reader.report("nginx needs at least one upstream", at: list.position) }
    }

    /// - Parameter upstreams: `address:port` of each
    func text(upstreams: [String]) -> String {
        """
        # Made from the lab file's short form. Time limits are those of a local network.
        worker_processes 1;
        error_log stderr warn;
        pid /run/nginx.pid;
        events { worker_connections 1024; }
        http {
            access_log /dev/stdout;
            upstream backend {
        \(upstreams.map { "        server \($0);" }.joined(separator: "\n"))
            }
            server {
                listen \(listened.first ?? 80);
                location / {
                    proxy_pass http://backend;
                    proxy_connect_timeout 2s;
                    proxy_read_timeout 5s;
                }
            }
        }

        """
    }
}

extension NginxDefinition {
    // In its long form `listen` only says what to wait for.
    var ports: [TransportPort] { listened.map { TransportPort($0, .tcp) } }
    var portsOnAllAddresses: [UInt16] { configuration == nil ? listened : [] }

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text: String
        if let own = configuration {
            text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
        } else {
            text = self.text(upstreams: endpoints(of: node, in: resolution).map { $0.address.endpoint(port: $0.port) })
        }
        return ProgramConfiguration(
            name: Self.name,
            command: [
                "nginx", "-e", "stderr", "-p", ProgramConfiguration.folderWord, "-c",
                ProgramConfiguration.folderWord + "/nginx.conf", "-g", "daemon off;",
            ],
            files: [.init(name: "nginx.conf", text: text)], readiness: listened.map { .tcp($0) })
    }

    func demands(of node: String, in resolution: Resolution) -> [ServerDemand] {
        endpoints(of: node, in: resolution).map {
            ServerDemand(
                node: $0.node, address: $0.address, server: ServerProgram(kind: .http, port: $0.port),
                what: "nginx of '\(node)'", position: $0.position)
        }
    }

    private func endpoints(of node: String, in resolution: Resolution) -> [(
        node: String, address: IPAddress, port: UInt16, position: SourcePosition
    )] {
        upstreams.compactMap { upstream in
            resolution.endpoint(upstream.value.host, seenFrom: node, "an upstream", at: upstream.position).map {
                ($0.node, $0.address, upstream.value.port ?? 80, upstream.position)
            }
        }
    }
}

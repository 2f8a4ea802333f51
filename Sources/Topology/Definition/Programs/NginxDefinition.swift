import LabFile

/// nginx as a reverse proxy for HTTP, or with a configuration of the lab's own.
struct NginxDefinition {
    /// On every address of the node; several only with a configuration of the lab's own.
    var ports: [UInt16] = [80]
    var upstreams: [Located<EndpointText>] = []
    /// The whole `nginx.conf`; then the lab also says on which port to wait for it.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'nginx'", keys: LabKeys.nginx, reader) else { return nil }
        if let value = mapping["listen"] {
            ports = reader.list(value).compactMap {
                reader.integer($0, of: "'listen' of the program 'nginx'", in: 1...65_535).map { UInt16($0) }
            }
            if ports.isEmpty || ports.count > 1 && mapping["config"] == nil {
                reader.report(
                    "'listen' of the program 'nginx' has \(ports.count) ports", at: value.position,
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
                listen \(ports.first ?? 80);
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

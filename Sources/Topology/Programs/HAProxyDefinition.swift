import Configuration
import LabFile
import LabTime
import Measurement
import Wire

/// HAProxy with frontends and backends, or with a configuration of the lab's own.
struct HAProxyDefinition: ProgramShortForm {
    static let name = "haproxy"
    static let summary = "[HAProxy](#haproxy) with frontends and checked backends"
    static let keys = ["frontends", "backends", "listen", "config"]
    static let innerKeys = Frontend.keys + Backend.keys + Check.keys
    static let example = """
        haproxy:
          frontends: { web: { listen: 8080, mode: http, backend: pool } }
          backends:
            pool: { servers: ["server:80"], balance: leastconn,
                    check: { every: 500ms, fall: 2, rise: 1, path: /health } }
        """
    // `listen` goes with 'config', or is a frontend's.

    enum Mode: String, CaseIterable { case http, tcp }

    struct Frontend {
        static let keys = ["listen", "mode", "backend"]
        var name: String
        var port: UInt16
        var mode: Mode
        var backend: String
    }

    struct Backend {
        static let keys = ["servers", "balance", "check"]
        var name: Located<String>
        var servers: [Located<EndpointText>] = []
        var balance: Balance
        var check: Check?
    }

    enum Balance: String, CaseIterable { case roundrobin, leastconn, source, first }

    struct Check {
        static let keys = ["every", "fall", "rise", "path"]
        var interval = Duration.seconds(2)
        var fall = 3
        var rise = 2
        /// Of an HTTP request; nil: a TCP connection is enough.
        var path: String?
    }

    var frontends: [Frontend] = []
    var backends: [Backend] = []
    /// Beside a configuration of the lab's own.
    var listened: [UInt16] = []
    /// The whole `haproxy.cfg`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'haproxy'", keys: Self.keys, reader) else { return nil }
        if mapping["config"] != nil {
            configuration = WholeConfiguration.read(mapping, "haproxy.cfg", besides: ["listen"], Self.keys)
            listened = (mapping["listen"].map(reader.list) ?? []).compactMap { Self.port($0, "haproxy", reader) }
            return
        }
        if mapping["listen"] != nil {
            reader.report(
                "'listen' of the program 'haproxy' goes with 'config'", at: mapping.keyPosition("listen"),
                allowed: ["'listen' of a frontend"])
        }
        guard let frontends = mapping.required("frontends"), let backends = mapping.required("backends") else {
            return nil
        }
        self.backends = NodeDefinition.named(backends, "the backends of 'haproxy'", reader)
            .compactMap { Self.backend($0, reader) }
        let names = self.backends.map(\.name.value)
        for entry in NodeDefinition.named(frontends, "the frontends of 'haproxy'", reader) {
            guard let frontend = Self.frontend(entry, backends: names, reader) else { continue }
            if let other = self.frontends.first(where: { $0.port == frontend.port }) {
                reader.report(
                    "the frontends '\(other.name)' and '\(frontend.name)' listen on port \(frontend.port)",
                    at: entry.keyPosition)
            }
            if let other = self.frontends.first(where: { $0.backend == frontend.backend && $0.mode != frontend.mode }) {
                reader.report(
                    "the frontends '\(other.name)' and '\(frontend.name)' of two modes have one backend",
                    at: entry.keyPosition, allowed: ["a backend for each mode"])
            }
            self.frontends.append(frontend)
        }
        if frontends.entries?.isEmpty == true {
            reader.report("HAProxy needs at least one frontend", at: frontends.position)
        }
    }

    private static func port(_ value: LabValue, _ what: String, _ reader: LabReader) -> UInt16? {
        reader.integer(value, of: "'listen' of '\(what)'", in: 1...65_535).map { UInt16($0) }
    }

    /// `web: { listen: 80, backend: pool }`; the backend of the same name, or the only one, where none is given.
    private static func frontend(_ entry: LabEntry, backends: [String], _ reader: LabReader) -> Frontend? {
        let what = "the frontend '\(LabValue.shortened(entry.key))'"
        guard NameRule.word.check(entry.key, "a frontend", at: entry.keyPosition, reader),
            let mapping = MappingReader(entry.value, what, keys: Frontend.keys, reader),
            let listen = mapping.required("listen"), let port = port(listen, entry.key, reader)
        else { return nil }
        let usual = backends.contains(entry.key) || backends.count != 1 ? entry.key : backends[0]
        let backend = mapping.text("backend") ?? usual
        guard backends.contains(backend) else {
            reader.reportUnknown(
                backend, "\(what) leads to '\(LabValue.shortened(backend))', which is no backend",
                at: mapping.keyPosition("backend"), allowed: backends)
            return nil
        }
        return Frontend(name: entry.key, port: port, mode: mapping.choice("mode") ?? .http, backend: backend)
    }

    private static func backend(_ entry: LabEntry, _ reader: LabReader) -> Backend? {
        let what = "the backend '\(LabValue.shortened(entry.key))'"
        guard NameRule.word.check(entry.key, "a backend", at: entry.keyPosition, reader),
            let mapping = MappingReader(entry.value, what, keys: Backend.keys, reader),
            let servers = mapping.required("servers")
        else { return nil }
        var backend = Backend(
            name: Located(value: entry.key, position: entry.keyPosition),
            balance: mapping.choice("balance") ?? .roundrobin,
            check: Check())
        for element in reader.list(servers) {
            guard let endpoint = element.text.flatMap({ EndpointText($0) }), endpoint.transport == nil,
                endpoint.port != nil
            else {
                reader.report(
                    "a server of \(what) is \(element.found)", at: element.position,
                    allowed: ["node:port, such as backend-1:80"])
                continue
            }
            backend.servers.append(Located(value: endpoint, position: element.position))
        }
        if reader.list(servers).isEmpty { reader.report("\(what) has no server", at: servers.position) }
        if let value = mapping["check"] { backend.check = check(value, what, reader) }
        return backend
    }

    /// `off`, or `{ every: 500ms, fall: 2, rise: 1, path: /health }`
    private static func check(_ value: LabValue, _ what: String, _ reader: LabReader) -> Check? {
        if value.entries == nil {
            return reader.flag(value, of: "'check' of \(what)") == true ? Check() : nil
        }
        guard let mapping = MappingReader(value, "'check' of \(what)", keys: Check.keys, reader) else { return nil }
        var check = Check()
        check.interval = mapping.duration("every", in: .milliseconds(10)...(.seconds(3600))) ?? check.interval
        check.fall = mapping.integer("fall", in: 1...100) ?? check.fall
        check.rise = mapping.integer("rise", in: 1...100) ?? check.rise
        if let path = mapping.text("path") {
            guard path.hasPrefix("/"), !path.contains(where: \.isWhitespace) else {
                reader.report(
                    "'path' of \(what) is '\(LabValue.shortened(path))'", at: mapping["path"]?.position,
                    allowed: ["a path, such as /health"])
                return check
            }
            check.path = path
        }
        return check
    }
}

import Configuration
import LabFile
import Measurement
import Wire

/// dnsmasq as a DNS server, or with a configuration of the lab's own.
struct DNSMasqDefinition: ProgramShortForm {
    static let name = "dnsmasq"
    static let summary = "[dnsmasq](#dnsmasq) as a DNS server"
    static let keys = ["records", "upstream", "listen", "config"]
    static let example = """
        dnsmasq: { records: { www.example.test: [192.0.2.80, server.net] }, upstream: server.net, listen: 53 }
        """

    struct Record {
        var name: String
        /// Addresses or references.
        var addresses: [LabValue]
    }

    var records: [Record] = []
    /// Servers that know other names: addresses or references.
    var upstreams: [LabValue] = []
    var port: UInt16 = 53
    /// The whole `dnsmasq.conf`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'dnsmasq'", keys: Self.keys, reader) else { return nil }
        port = mapping.integer("listen", in: 1...65_535).map { UInt16($0) } ?? port
        if mapping["config"] != nil {
            configuration = WholeConfiguration.read(mapping, "dnsmasq.conf", besides: ["listen"], Self.keys)
            return
        }
        for entry in NodeDefinition.named(mapping["records"], "the records of 'dnsmasq'", reader) {
            guard DNSName(rawValue: entry.key) != nil else {
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no name of a DNS record", at: entry.keyPosition,
                    allowed: [DNSName.form])
                continue
            }
            records.append(Record(name: entry.key, addresses: reader.list(entry.value)))
        }
        upstreams = mapping["upstream"].map(reader.list) ?? []
        if mapping["records"] == nil, upstreams.isEmpty {
            reader.report(
                "the program 'dnsmasq' knows no name", at: value.position,
                allowed: ["'records'", "'upstream'", "'config'"])
        }
    }

    var ports: [TransportPort] { [TransportPort(port, .udp), TransportPort(port, .tcp)] }
    var portsOnAllAddresses: [UInt16] { configuration == nil ? [port] : [] }

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let folder = ProgramConfiguration.folderWord
        var files: [ProgramConfiguration.File] = []
        if let own = configuration {
            let text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
            files = [.init(name: "dnsmasq.conf", text: text)]
        } else {
            let hosts = records.flatMap { record in
                record.addresses.compactMap { resolution.address($0, "the address of record '\(record.name)'") }
                    .map { "\($0) \(record.name)" }
            }
            let servers = upstreams.compactMap { resolution.address($0, "'upstream' of dnsmasq") }
            let lines =
                [
                    "# Made from the lab file's short form.", "port=\(port)", "no-resolv", "no-hosts",
                    "addn-hosts=\(folder)/hosts", "log-queries",
                ] + servers.map { "server=\($0)" }
            files = [
                .init(name: "dnsmasq.conf", text: lines.joined(separator: "\n") + "\n"),
                .init(name: "hosts", text: hosts.joined(separator: "\n") + "\n"),
            ]
        }
        return ProgramConfiguration(
            name: Self.name,
            command: [
                "dnsmasq", "--keep-in-foreground", "--conf-file=\(folder)/dnsmasq.conf", "--log-facility=-",
                "--pid-file=/run/dnsmasq/dnsmasq.pid", "--user=root", "--group=root",
            ],
            files: files, readiness: [.udp(port), .tcp(port)])
    }
}

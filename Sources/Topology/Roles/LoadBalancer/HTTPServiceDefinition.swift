import Configuration
import LabFile
import LabTime
import Wire

/// What a virtual service with the profile `http` says beside what every service does.
///
/// ```yaml
/// snat-pool: [198.51.100.11, 198.51.100.12]
/// snat-ports: 4000-4003
/// multiplexing: { idle-time: 5s, most-requests: 1000 }      # or on, off
/// tls: { certificate: lb.pem, key: lb.key }                 # or on, off
/// http:
///   x-forwarded-for: append
///   request-headers: { set: { X-Balancer: lb }, remove: [Cookie] }
///   limits: { header-size: 16384, body-size: 1048576 }
///   timeouts: { server-connect: 31s }
/// ```
struct HTTPServiceDefinition {
    var configuration: HTTPServiceConfiguration
    /// The addresses of the SNAT pool, and where they stand.
    var sourceAddresses: [Located<IPAddress>] = []
    /// Certificate and key, where the service has its own.
    var certificateFiles: CertificateFiles?

    static let keysOfService = ["snat-pool", "snat-ports", "multiplexing", "tls", "http"]

    init(_ service: MappingReader, timers: Timers, _ reader: LabReader) {
        configuration = HTTPServiceConfiguration(timeouts: timers == .vendor ? .vendor : HTTPTimeouts())
        for element in service["snat-pool"].map(reader.list) ?? [] {
            guard let address = element.text.flatMap({ IPAddress($0) }) else {
                reader.report(
                    "an address of 'snat-pool' is \(element.found)", at: element.position,
                    allowed: [IPAddress.textForm])
                continue
            }
            if sourceAddresses.contains(where: { $0.value == address }) {
                reader.report("\(address) is in the SNAT pool already", at: element.position)
                continue
            }
            sourceAddresses.append(Located(value: address, position: element.position))
        }
        configuration.sourceAddresses = sourceAddresses.map(\.value)
        if let value = service["snat-ports"] {
            if let range = PortRangeText.parse(value) {
                configuration.sourcePorts = range
            } else {
                reader.report(
                    "'snat-ports' is \(value.found)", at: value.position,
                    allowed: [PortRangeText.textForm])
            }
        }
        if let value = service["multiplexing"] { configuration.multiplexing = Self.multiplexing(value, reader) }
        if let value = service["tls"] { readTLS(value, reader) }
        if let value = service["http"] { read(value, reader) }
        if let problem = configuration.problem {
            reader.report(problem, at: service.keyPosition("http"))
        }
    }

    /// `on` for the certificate that every lab has, or the names of two files beside the lab file.
    private mutating func readTLS(_ value: LabValue, _ reader: LabReader) {
        if value.text != nil {
            if reader.flag(value, of: "'tls' of a virtual service") == true { configuration.tls = .lab }
            return
        }
        guard let mapping = MappingReader(value, "'tls' of a virtual service", keys: ["certificate", "key"], reader),
            let certificate = mapping.required("certificate"), let key = mapping.required("key"),
            let certificateName = mapping.text("certificate"), let keyName = mapping.text("key")
        else { return }
        for (name, value) in [(certificateName, certificate), (keyName, key)] {
            guard name.utf8.count > 4000 || !name.hasPrefix("/") && name.split(separator: "/").contains("..") else {
                continue
            }
            reader.report(
                "'tls' of a virtual service names the file \(value.found)", at: value.position,
                allowed: ["a file beside the lab file or in a folder there, such as lb.pem", "an absolute path"])
            return
        }
        func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(reader.folder)/\(name)" }
        let files = CertificateFiles(
            certificate: path(certificateName), certificatePosition: certificate.position, key: path(keyName),
            keyPosition: key.position)
        certificateFiles = files
        configuration.tls = .files(certificate: files.certificate, key: files.key)
    }

    private mutating func read(_ value: LabValue, _ reader: LabReader) {
        let keys = ["x-forwarded-for", "request-headers", "response-headers", "limits", "timeouts"]
        guard let mapping = MappingReader(value, "'http' of a virtual service", keys: keys, reader) else { return }
        if let choice: HTTPServiceConfiguration.ForwardedFor = mapping.choice("x-forwarded-for") {
            configuration.forwardedFor = choice
        }
        if let headers = mapping["request-headers"] { configuration.requestHeaders = Self.rewriting(headers, reader) }
        if let headers = mapping["response-headers"] { configuration.responseHeaders = Self.rewriting(headers, reader) }
        if let value = mapping["limits"],
            let limits = MappingReader(
                value, "the limits of an http service",
                keys: ["header-size", "header-count", "body-size", "connections"],
                reader)
        {
            let defaults = configuration.limits
            configuration.limits = HTTPLimits(
                headerSize: limits.integer("header-size", in: 64...1_048_576) ?? defaults.headerSize,
                headerCount: limits.integer("header-count", in: 1...10_000) ?? defaults.headerCount,
                bodySize: limits.integer("body-size", in: 0...(1 << 40)) ?? defaults.bodySize,
                connections: limits.integer("connections", in: 1...1_000_000) ?? defaults.connections)
        }
        if let value = mapping["timeouts"],
            let timeouts = MappingReader(
                value, "the timeouts of an http service",
                keys: ["client-header", "client-body", "keep-alive", "server-connect", "server-response"], reader)
        {
            let (defaults, range) = (configuration.timeouts, Duration.milliseconds(1)...(.seconds(3600)))
            configuration.timeouts = HTTPTimeouts(
                clientHeader: timeouts.duration("client-header", in: range) ?? defaults.clientHeader,
                clientBody: timeouts.duration("client-body", in: range) ?? defaults.clientBody,
                keepAlive: timeouts.duration("keep-alive", in: range) ?? defaults.keepAlive,
                serverConnect: timeouts.duration("server-connect", in: range) ?? defaults.serverConnect,
                serverResponse: timeouts.duration("server-response", in: range) ?? defaults.serverResponse)
        }
    }

    private static func rewriting(_ value: LabValue, _ reader: LabReader) -> HeaderRewriting {
        guard let mapping = MappingReader(value, "header rewriting", keys: ["set", "remove"], reader) else {
            return HeaderRewriting()
        }
        let set = NodeDefinition.named(mapping["set"], "the headers to set", reader).compactMap { entry in
            reader.text(entry.value, of: "header '\(entry.key)'").map {
                HeaderRewriting.Field(name: entry.key, value: $0)
            }
        }
        let remove = (mapping["remove"].map(reader.list) ?? []).compactMap { reader.text($0, of: "a header's name") }
        return HeaderRewriting(set: set, remove: remove)
    }

    private static func multiplexing(_ value: LabValue, _ reader: LabReader) -> ConnectionMultiplexing? {
        if value.text != nil {
            return reader.flag(value, of: "'multiplexing' of a virtual service") == true
                ? ConnectionMultiplexing() : nil
        }
        guard let mapping = MappingReader(value, "multiplexing", keys: ["idle-time", "most-requests"], reader) else {
            return nil
        }
        let defaults = ConnectionMultiplexing()
        return ConnectionMultiplexing(
            idleTime: mapping.duration("idle-time", in: .milliseconds(1)...(.seconds(3600))) ?? defaults.idleTime,
            mostRequests: mapping.integer("most-requests", in: 1...1_000_000) ?? defaults.mostRequests)
    }
}

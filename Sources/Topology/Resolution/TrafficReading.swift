import Configuration
import LabFile
import LabTime
import Measurement
import Wire

/// Reads `traffic:` and finds each program's target. What only one kind has, it reads by itself.
struct TrafficReading {
    let resolution: Resolution
    let nodes: [Node]

    private(set) var programs: [TrafficProgram] = []
    private(set) var demands: [ServerDemand] = []
    private var reader: LabReader { resolution.reader }

    init(_ value: LabValue?, _ resolution: Resolution, nodes: [Node]) {
        self.resolution = resolution
        self.nodes = nodes
        for entry in NodeDefinition.named(value, "traffic", resolution.reader) {
            if let program = program(entry) { programs.append(program) }
        }
        checkTotals(value)
        checkCommands(value)
    }

    /// Each has a log of its own, for which its node's process takes a descriptor.
    private func checkCommands(_ value: LabValue?) {
        func position(of program: TrafficProgram) -> SourcePosition? {
            value?.entries?.first { $0.key == program.name }?.keyPosition
        }
        for (node, programs) in Dictionary(grouping: programs.filter { $0.kind == .command }, by: \.from) {
            if programs.count > LabLimits.commands {
                reader.report(
                    "'\(node)' has \(programs.count) traffic programs of kind command",
                    at: position(of: programs[LabLimits.commands]), allowed: ["at most \(LabLimits.commands)"])
            }
            let others = nodes.first { $0.name == node }?.programs.map(\.name) ?? []
            for program in programs where others.contains(program.name) {
                reader.report(
                    "'\(node)' has a program '\(program.name)' already, and both would log to logs/\(node).\(program.name).log",
                    at: position(of: program), allowed: ["another name"])
            }
        }
    }

    /// Each flow is a socket, or of a kind that sums its flows an entry of a table.
    private func checkTotals(_ value: LabValue?) {
        var flows: [TrafficProgram.Kind?: Int] = [:]
        for program in programs {
            let kind = program.kind.type.sumsFlows ? program.kind : nil
            flows[kind, default: 0] += program.flows
            let (total, most) = (flows[kind] ?? 0, kind?.type.mostFlows ?? LabLimits.flows)
            guard total > most else { continue }
            let place = value?.entries?.first { $0.key == program.name }?.value
            return reader.report(
                "the traffic programs up to '\(program.name)' have \(total) \(kind.map { "flows of kind \($0.rawValue)" } ?? "flows") together",
                at: place?["flows"]?.position ?? place?.position, allowed: ["at most \(most)"])
        }
    }

    /// The keys of every kind, in the order in which messages list them.
    static let commonKeys = [
        TrafficKey("from", usual: "required", "a client, backend or router"),
        TrafficKey(
            "to", usual: "required",
            "`balancer/service`, `node:port` (IPv4 where both ends have it), `node.interface.ip6:port`, `address:port` or `\"[2001:db8::1]:7\"`; of `ping` without a port, of `dns` with port 53 where there is none; of `command` where its frames go"
        ),
        TrafficKey("kind", usual: "required", "see above"),
        TrafficKey("flows", usual: "1", flowsSummary),
        TrafficKey("every", usual: "100 ms", "interval of the requests of each flow"),
        TrafficKey("payload", usual: "64", "bytes of a request and of its answer; at least 32"),
        TrafficKey(
            "patience", usual: "2 s",
            "the application's timeout; of `dns` the default is as long as its tries can take"),
    ]

    static let keys = commonKeys.map(\.name) + TrafficKinds.keys.map(\.key.name)

    private mutating func program(_ entry: LabEntry) -> TrafficProgram? {
        guard NameRule.word.check(entry.key, "a traffic program", at: entry.keyPosition, reader) else { return nil }
        if ExpectationForms.keys.contains(entry.key) {
            reader.report(
                "'\(entry.key)' cannot be the name of a traffic program: expectations use it", at: entry.keyPosition)
            return nil
        }
        guard let mapping = MappingReader(entry.value, "a traffic program", keys: Self.keys, reader) else {
            return nil
        }
        let source = mapping.required("from").flatMap(source)
        let kind: TrafficProgram.Kind? = mapping.required("kind") == nil ? nil : mapping.choice("kind")
        let flows = flows(mapping, kind)
        let every = mapping.duration("every", in: .milliseconds(1)...(.seconds(3600))) ?? .milliseconds(100)
        let payload = mapping.integer("payload", in: 32...65_000) ?? 64
        let timeout = mapping.duration("patience", in: .milliseconds(1)...(.seconds(3600)))
        if let kind { checkKeys(mapping, kind) }
        let node = nodes.first { $0.name == source }
        let written = TrafficMapping(mapping: mapping, references: resolution.references)
        let options = kind?.type.read(
            written,
            of: WrittenProgram(
                from: source ?? "", loopbackNetworks: node?.loopbackNetworks ?? [], flows: flows, every: every))
        guard let to = mapping.required("to"), let source, let kind, var options,
            let (address, port) = target(to, of: entry.key, from: source, kind, options.transport)
        else { return nil }
        guard node?.interfaces.contains(where: { $0.address(address.family) != nil }) == true else {
            reader.report(
                "'\(source)' has no \(address.family.rawValue) address, but the target is \(port == 0 ? "\(address)" : address.endpoint(port: port))",
                at: to.position)
            return nil
        }
        let service = services.first { $0.service.address == address && $0.service.port == port }?.service
        let target = TrafficTarget(address: address, port: port, usesTLS: service?.http?.tls != nil)
        guard options.accept(target, written) else { return nil }
        return TrafficProgram(
            name: entry.key, options: options, from: source, target: address, port: port, flows: flows, every: every,
            payload: payload, timeout: timeout ?? options.usualTimeout ?? .seconds(2))
    }

    /// Reports keys of other kinds.
    private func checkKeys(_ mapping: MappingReader, _ kind: TrafficProgram.Kind) {
        for (key, kinds) in TrafficKinds.keys where mapping[key.name] != nil && !kinds.contains(kind.rawValue) {
            let owners = kinds.count == 1 ? "kind \(kinds[0])" : "the kinds \(kinds.joined(separator: " and "))"
            reader.report(
                "'\(key.name)' belongs to \(owners); this one is \(kind.rawValue)", at: mapping.keyPosition(key.name))
        }
    }

    private func source(_ value: LabValue) -> String? {
        let hosts = nodes.filter { !$0.isBox }.map(\.name)
        if let text = value.text, hosts.contains(text) { return text }
        let isBox = nodes.contains { $0.name == value.text }
        reader.reportUnknown(
            value.text ?? "",
            isBox
                ? "traffic comes from \(value.found), which is a box; it can come from nodes with the kernel's own stack"
                : "traffic comes from \(value.found), which is no node", at: value.position, allowed: hosts)
        return nil
    }

    private func flows(_ mapping: MappingReader, _ kind: TrafficProgram.Kind?) -> Int {
        let most = (kind ?? .tcpStream).type.mostFlows
        guard mapping["flows"] != nil, let flows = mapping.integer("flows", in: 1...most) else { return 1 }
        if let kind, kind.opensFlowForEachProbe, !kind.type.opensSeveralAtOnce, flows != 1 {
            reader.report(
                "'flows' is \(flows), but kind \(kind.rawValue) opens a new flow for each probe",
                at: mapping.keyPosition("flows"),
                allowed: ["1"])
        }
        return flows
    }

    /// `number of flows: tcp-stream, udp, ftp up to 1000`
    private static var flowsSummary: String {
        let kinds = TrafficKinds.table.filter { !$0.opensFlowForEachProbe || $0.opensSeveralAtOnce }
        var bounds: [Int] = []
        for kind in kinds where !bounds.contains(kind.mostFlows) { bounds.append(kind.mostFlows) }
        let parts = bounds.map { most in
            kinds.filter { $0.mostFlows == most }.map { "`\($0.name)`" }.joined(separator: ", ")
                + " up to \(grouped(most))"
        }
        return "number of flows: " + parts.joined(separator: "; ")
    }

    /// `1,000,000`; numbers below ten thousand have no comma.
    private static func grouped(_ number: Int) -> String {
        guard number >= 10_000 else { return "\(number)" }
        var (text, rest) = ("", "\(number)"[...])
        while rest.count > 3 {
            text = ",\(rest.suffix(3))" + text
            rest = rest.dropLast(3)
        }
        return String(rest) + text
    }

    // MARK: Targets

    /// `lb/web`, `backend-1:8080`, `backend-1.servers:8080` or `10.0.0.2:8080`
    private mutating func target(
        _ value: LabValue, of program: String, from source: String, _ kind: TrafficProgram.Kind,
        _ transport: IPProtocol?
    ) -> (IPAddress, UInt16)? {
        let form =
            !kind.hasPorts
            ? ["node", "node.interface", "address"] : ["balancer/service, such as lb/web", "node:port", "address:port"]
        guard let given = value.text else {
            reader.report("'to' of a traffic program is \(value.found)", at: value.position, allowed: form)
            return nil
        }
        guard let text = withoutReference(given, kind, at: value.position) else { return nil }
        if text.contains("/"), EndpointText(text)?.transport == nil {
            return service(text, kind, transport, at: value.position)
        }
        let written = EndpointText(text)
        guard let transport else {
            return portless(text, written, from: source, kind, at: value.position, form)
        }
        guard let endpoint = written, let port = endpoint.port ?? kind.type.defaultPort else {
            reader.report(
                "'to' of a traffic program is \(value.found)", at: value.position, allowed: form,
                suggestion: Spelling.nearest(to: text, among: services.map(\.name)))
            return nil
        }
        if let written = endpoint.transport, written != transport {
            reader.report("kind \(kind.rawValue) does not speak to \(text)", at: value.position)
            return nil
        }
        let seen = resolution.endpoint(endpoint.host, seenFrom: source, "the target", at: value.position)
        guard let (node, address) = seen else { return nil }
        if !services.contains(where: { $0.service.address == address }) {
            var demand = ServerDemand(
                node: node, address: address, port: TransportPort(port, transport),
                server: kind.server.map { ServerProgram(kind: $0, port: port) },
                what: "traffic program '\(program)'", position: value.position)
            demand.needsProgram = kind.needsProgram
            demands.append(demand)
        }
        return (address, port)
    }

    /// `backend-1`, `backend-1.servers.ip6` or `10.0.0.2`: what the kernel of whoever has the address answers.
    private func portless(
        _ text: String, _ endpoint: EndpointText?, from source: String, _ kind: TrafficProgram.Kind,
        at position: SourcePosition, _ form: [String]
    ) -> (IPAddress, UInt16)? {
        guard let endpoint, endpoint.port == nil, endpoint.transport == nil else {
            reader.report(
                "'to' of a traffic program is '\(LabValue.shortened(text))', but kind \(kind.rawValue) has no port",
                at: position, allowed: form)
            return nil
        }
        return resolution.endpoint(endpoint.host, seenFrom: source, "the target", at: position).map { ($0.address, 0) }
    }

    /// `lan/gateway.address:80`, or without a port, with the address that it stands for; nil, and reported, where that
    /// is none.
    private func withoutReference(
        _ text: String, _ kind: TrafficProgram.Kind, at position: SourcePosition
    ) -> String? {
        if !kind.hasPorts || kind.type.defaultPort != nil, text.contains("/"), resolution.references.isReference(text) {
            return resolution.references.resolve(text, at: position, reader)
        }
        guard kind.hasPorts, let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            resolution.references.isReference(String(text[..<colon])), text[..<colon].contains("/")
        else { return text }
        guard let value = resolution.references.resolve(String(text[..<colon]), at: position, reader) else {
            return nil
        }
        return IPAddress(value).map { $0.endpoint(port: port) } ?? text
    }

    private var services: [(name: String, service: VirtualServiceConfiguration)] {
        nodes.flatMap { node in
            node.role.configuration.virtualServices.map { ("\(node.name)/\($0.name)", $0) }
        }
    }

    private func service(
        _ text: String, _ kind: TrafficProgram.Kind, _ transport: IPProtocol?, at position: SourcePosition
    ) -> (IPAddress, UInt16)? {
        guard let service = services.first(where: { $0.name == text })?.service else {
            reader.reportUnknown(
                text, "there is no virtual service '\(LabValue.shortened(text))'", at: position,
                allowed: services.map(\.name))
            return nil
        }
        if let transport, service.profile.transport != transport {
            reader.report(
                "kind \(kind.rawValue) speaks \(transport), but \(text) has the profile \(service.profile.rawValue)",
                at: position)
            return nil
        }
        if let reason = kind.type.needsServerItself {
            reader.report(
                "kind \(kind.rawValue) speaks to a server itself, not to \(text): \(reason)",
                at: position, allowed: [kind.hasPorts ? "node:port" : "node"])
            return nil
        }
        if service.profile == .http, let server = kind.server, server != .http {
            reader.report(
                "kind \(kind.rawValue) speaks no HTTP, but \(text) has the profile http", at: position,
                allowed: TrafficProgram.Kind.allCases.filter { $0.server == .http }.map(\.rawValue))
            return nil
        }
        return (service.address, service.port)
    }
}

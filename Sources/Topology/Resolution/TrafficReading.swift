import Configuration
import LabFile
import LabTime
import Measurement
import Wire

/// Reads `traffic:` and finds each program's target.
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
    }

    /// Each flow is a socket, or of a crowd an entry of a table.
    private func checkTotals(_ value: LabValue?) {
        var (flows, crowd) = (0, 0)
        for program in programs {
            if program.kind == .udpCrowd { crowd += program.flows } else { flows += program.flows }
            let place = value?.entries?.first { $0.key == program.name }?.value
            for (total, most, what) in [
                (flows, LabLimits.flows, "flows"), (crowd, TrafficProgram.Crowd.mostFlows, "flows of kind udp-crowd"),
            ] where total > most {
                return reader.report(
                    "the traffic programs up to '\(program.name)' have \(total) \(what) together",
                    at: place?["flows"]?.position ?? place?.position, allowed: ["at most \(most)"])
            }
        }
    }

    private mutating func program(_ entry: LabEntry) -> TrafficProgram? {
        guard NameRule.word.check(entry.key, "a traffic program", at: entry.keyPosition, reader) else { return nil }
        if LabKeys.expectation.contains(entry.key) {
            reader.report(
                "'\(entry.key)' cannot be the name of a traffic program: expectations use it", at: entry.keyPosition)
            return nil
        }
        guard let mapping = MappingReader(entry.value, "a traffic program", keys: LabKeys.traffic, reader) else {
            return nil
        }
        let source = mapping.required("from").flatMap(source)
        let kind: TrafficProgram.Kind? = mapping.required("kind") == nil ? nil : mapping.choice("kind")
        let flows = flows(mapping, kind)
        let every = mapping.duration("every", in: .milliseconds(1)...(.seconds(3600))) ?? .milliseconds(100)
        let payload = mapping.integer("payload", in: 32...65_000) ?? 64
        let patience = mapping.duration("patience", in: .milliseconds(1)...(.seconds(3600))) ?? .seconds(2)
        let retry = mapping.duration("retry-every", in: .milliseconds(1)...(.seconds(3600)))
        let exchange = mapping.flag("exchange")
        if let kind, kind != .udpRequest, kind != .udpCrowd, mapping["retry-every"] != nil {
            reader.report(
                "'retry-every' belongs to the kinds udp-request and udp-crowd; this one is \(kind.rawValue)",
                at: mapping.keyPosition("retry-every"))
        }
        if let kind, kind != .tcpConnect, mapping["exchange"] != nil {
            reader.report(
                "'exchange' belongs to kind tcp-connect; this one is \(kind.rawValue)",
                at: mapping.keyPosition("exchange"))
        }
        let path = mapping.text("path")
        if let kind, kind != .httpRequest, path != nil {
            reader.report(
                "'path' belongs to kind http-request; this one is \(kind.rawValue)", at: mapping.keyPosition("path"))
        }
        if let path, !path.hasPrefix("/") || !path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            reader.report(
                "'path' of a traffic program is '\(LabValue.shortened(path))'", at: mapping.keyPosition("path"),
                allowed: ["a path that begins with '/', without blanks"])
        }
        let tls = mapping.flag("tls")
        if let kind, kind != .httpRequest, tls != nil {
            reader.report(
                "'tls' belongs to kind http-request; this one is \(kind.rawValue)", at: mapping.keyPosition("tls"))
        }
        let transfer = transfer(mapping, kind)
        let crowd = crowd(mapping, kind, from: source, flows: flows, every: every)
        guard let to = mapping.required("to"), let source, let kind,
            let (address, port) = target(to, of: entry.key, from: source, kind)
        else { return nil }
        let own = nodes.first { $0.name == source }?.interfaces ?? []
        guard own.contains(where: { $0.address(address.family) != nil }) else {
            reader.report(
                "'\(source)' has no \(address.family.rawValue) address, but the target is \(address.endpoint(port: port))",
                at: to.position)
            return nil
        }
        if crowd?.sources != nil, address.family == .ipv6 {
            reader.report(
                "'sources' are of IPv4, but the target is \(address.endpoint(port: port))",
                at: mapping["sources"]?.position ?? to.position)
            return nil
        }
        if let transfer, address.family == .ipv6, !transfer.mode.isExtended {
            reader.report(
                "mode \(transfer.mode.rawValue) knows only IPv4, but the target is \(address.endpoint(port: port))",
                at: mapping["mode"]?.position ?? to.position,
                allowed: FileTransfer.Mode.allCases.filter(\.isExtended).map(\.rawValue))
            return nil
        }
        if let announced = transfer?.announced, announced.family != address.family {
            reader.report(
                "'announce' is \(announced), but the target is \(address.endpoint(port: port))",
                at: mapping["announce"]?.position ?? to.position, allowed: ["an address of the same family"])
            return nil
        }
        let service = services.first { $0.service.address == address && $0.service.port == port }?.service
        return TrafficProgram(
            name: entry.key, kind: kind, from: source, target: address, port: port, flows: flows, every: every,
            payload: payload, patience: patience, retryEvery: retry ?? .milliseconds(300), exchanges: exchange ?? true,
            path: path ?? "/", usesTLS: tls ?? (service?.http?.tls != nil), transfer: transfer,
            crowd: crowd)
    }

    /// What a program of kind ftp transfers; nil for the other kinds.
    private func transfer(_ mapping: MappingReader, _ kind: TrafficProgram.Kind?) -> FileTransfer? {
        guard kind == .ftp else {
            for key in ["mode", "data-after", "bytes", "announce"] where kind != nil && mapping[key] != nil {
                reader.report(
                    "'\(key)' belongs to kind ftp; this one is \(kind?.rawValue ?? "")", at: mapping.keyPosition(key))
            }
            return nil
        }
        var transfer = FileTransfer()
        transfer.mode = mapping.choice("mode") ?? transfer.mode
        transfer.dataAfter = mapping.duration("data-after", in: .zero...(.seconds(3600))) ?? transfer.dataAfter
        transfer.bytes = mapping.integer("bytes", in: 1...FileTransfer.mostBytes) ?? transfer.bytes
        if let text = mapping.text("announce") {
            transfer.announced = IPAddress(text)
            if transfer.announced == nil || !transfer.mode.isActive {
                reader.report(
                    transfer.mode.isActive
                        ? "'announce' is '\(LabValue.shortened(text))'"
                        : "mode \(transfer.mode.rawValue) announces nothing to the server",
                    at: mapping.keyPosition("announce"),
                    allowed: transfer.mode.isActive
                        ? [IPv4Address.textForm] : FileTransfer.Mode.allCases.filter(\.isActive).map(\.rawValue))
            }
        }
        return transfer
    }

    /// Where the flows of kind udp-crowd come from, and when they ask; nil for the other kinds.
    private func crowd(
        _ mapping: MappingReader, _ kind: TrafficProgram.Kind?, from source: String?, flows: Int, every: Duration
    ) -> TrafficProgram.Crowd? {
        guard kind == .udpCrowd else {
            for key in ["sources", "spread"] where kind != nil && mapping[key] != nil {
                reader.report(
                    "'\(key)' belongs to kind udp-crowd; this one is \(kind?.rawValue ?? "")",
                    at: mapping.keyPosition(key))
            }
            return nil
        }
        var crowd = TrafficProgram.Crowd(spread: mapping.duration("spread", in: .zero...every) ?? every)
        if let value = mapping["sources"], let text = mapping.text("sources") {
            let networks = nodes.first { $0.name == source }?.loopbackNetworks ?? []
            crowd.sources = IPv4Network(text)
            if crowd.sources.map({ network in networks.contains { $0.contains(network) } }) != true {
                reader.report(
                    "'sources' is \(value.found)"
                        + (crowd.sources == nil ? "" : ", which '\(source ?? "")' does not have"),
                    at: value.position,
                    allowed: networks.isEmpty
                        ? ["a network of the node's loopback, such as loopback: 10.64.0.0/24"]
                        : networks.map(\.description))
                return crowd
            }
        }
        let addresses = crowd.sources.map { $0.hosts.lowerBound.distance(to: $0.hosts.upperBound) + 1 } ?? 1
        let ports = (flows - 1) / addresses + 1
        if ports > TrafficProgram.Crowd.mostPorts {
            reader.report(
                "\(flows) flows from \(addresses) address\(addresses == 1 ? "" : "es") take \(ports) source ports of each",
                at: mapping.keyPosition("flows"),
                allowed: [
                    "at most \(TrafficProgram.Crowd.mostPorts) source ports: \(addresses * TrafficProgram.Crowd.mostPorts) flows, or more 'sources'"
                ])
        }
        return crowd
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
        let most = kind == .udpCrowd ? TrafficProgram.Crowd.mostFlows : 1000
        guard mapping["flows"] != nil, let flows = mapping.integer("flows", in: 1...most) else { return 1 }
        if let kind, kind.opensFlowForEachProbe, flows != 1 {
            reader.report(
                "'flows' is \(flows), but kind \(kind.rawValue) opens a new flow for each probe",
                at: mapping.keyPosition("flows"),
                allowed: ["1"])
        }
        return flows
    }

    // MARK: Targets

    /// `lb/web`, `backend-1:8080`, `backend-1.servers:8080` or `10.0.0.2:8080`
    private mutating func target(
        _ value: LabValue, of program: String, from source: String, _ kind: TrafficProgram.Kind
    ) -> (IPAddress, UInt16)? {
        let form = ["balancer/service, such as lb/web", "node:port", "address:port"]
        guard let text = value.text else {
            reader.report("'to' of a traffic program is \(value.found)", at: value.position, allowed: form)
            return nil
        }
        if text.contains("/"), EndpointText(text)?.transport == nil { return service(text, kind, at: value.position) }
        guard let endpoint = EndpointText(text), let port = endpoint.port else {
            reader.report(
                "'to' of a traffic program is \(value.found)", at: value.position, allowed: form,
                suggestion: Spelling.nearest(to: text, among: services.map(\.name)))
            return nil
        }
        if let transport = endpoint.transport, transport != kind.transport {
            reader.report("kind \(kind.rawValue) does not speak to \(text)", at: value.position)
            return nil
        }
        let seen = resolution.endpoint(endpoint.host, seenFrom: source, "the target", at: value.position)
        guard let (node, address) = seen else { return nil }
        if !services.contains(where: { $0.service.address == address }) {
            demands.append(
                ServerDemand(
                    node: node, address: address, server: ServerProgram(kind: kind.server, port: port),
                    what: "traffic program '\(program)'", position: value.position))
        }
        return (address, port)
    }

    private var services: [(name: String, service: VirtualServiceConfiguration)] {
        nodes.flatMap { node in
            guard case .loadBalancer(let balancer) = node.role else { return [(String, VirtualServiceConfiguration)]() }
            return balancer.services.map { ("\(node.name)/\($0.name)", $0) }
        }
    }

    private func service(
        _ text: String, _ kind: TrafficProgram.Kind, at position: SourcePosition
    ) -> (IPAddress, UInt16)? {
        guard let service = services.first(where: { $0.name == text })?.service else {
            reader.reportUnknown(
                text, "there is no virtual service '\(LabValue.shortened(text))'", at: position,
                allowed: services.map(\.name))
            return nil
        }
        guard service.profile.transport == kind.transport else {
            reader.report(
                "kind \(kind.rawValue) speaks \(kind.transport), but \(text) has the profile \(service.profile.rawValue)",
                at: position)
            return nil
        }
        if kind == .ftp {
            reader.report(
                "kind ftp speaks to a server itself, not to \(text): a balancer does not read what FTP announces",
                at: position, allowed: ["node:port"])
            return nil
        }
        if service.profile == .http, kind != .httpRequest {
            reader.report(
                "kind \(kind.rawValue) speaks no HTTP, but \(text) has the profile http", at: position,
                allowed: [TrafficProgram.Kind.httpRequest.rawValue])
            return nil
        }
        return (service.address, service.port)
    }
}

extension TrafficProgram.Kind {
    var transport: IPProtocol {
        switch self {
        case .tcpStream, .tcpConnect, .httpRequest, .ftp: .tcp
        case .udp, .udpCrowd, .udpRequest: .udp
        }
    }

    /// What answers it.
    var server: ServerProgram.Kind {
        switch self {
        case .tcpStream, .tcpConnect: .tcpEcho
        case .udp, .udpCrowd, .udpRequest: .udpEcho
        case .httpRequest: .http
        case .ftp: .ftp
        }
    }
}

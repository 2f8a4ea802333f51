import Configuration
import Dataplane
import LabFile
import Measurement
import Wire

/// A node as written.
struct NodeDefinition {
    enum Role: String, CaseIterable {
        case client
        case backend
        case router
        case firewall
        case loadBalancer = "load-balancer"
        case gatewayFirewall = "gateway-firewall"

        var keys: [String] {
            let own =
                switch self {
                case .client, .backend: ["services", "loopback", "tunnel"]
                case .router: ["services", "tracked-routes", "loopback", "tunnel"]
                case .firewall: LabKeys.firewall
                case .loadBalancer: ["virtual-services", "pools"]
                case .gatewayFirewall: LabKeys.gatewayFirewall
                }
            return ["role", "interfaces", "gateway", "routes", "routing"] + own + ["programs", "sysctls"]
        }

        /// Whether its dataplane knows IPv6; the kernel does.
        var speaksIPv6: Bool {
            switch self {
            case .client, .backend, .router, .loadBalancer: true
            case .firewall, .gatewayFirewall: false
            }
        }

        var article: String {
            switch self {
            case .client, .backend, .router, .firewall: "a \(rawValue)"
            case .loadBalancer: "a load balancer"
            case .gatewayFirewall: "a gateway firewall"
            }
        }
    }

    struct Route {
        /// nil for `default`: of each family that the gateway has.
        var destination: IPNetwork?
        /// An address or a reference, or a list with one of each family; of hosts, several of a family are equal paths.
        var gateway: LabValue
        var position: SourcePosition
    }

    var name: Located<String>
    var role: Role
    var interfaces: [InterfaceDefinition] = []
    /// An address or a reference, or a list with one of each family.
    var gateway: LabValue?
    var routes: [Route] = []
    /// Of a router.
    var trackedRoutes: [TrackedRouteDefinition] = []
    var routing: RoutingDefinition
    /// nil where the lab does not say; a host without programs then serves what is asked of it.
    var services: ServicesDefinition?
    var redundancy: RedundancyDefinition?
    /// Of a firewall; its peer may say it.
    var nat: NATDefinition?
    /// Of a firewall.
    /// Its objects are empty until it is known what `objects` stand for.
    var policy = PolicyConfiguration.open
    var objects: [PolicyDefinition.Object] = []
    /// Of a firewall: the most sessions.
    var sessionCapacity: Int?
    /// Of a firewall.
    var categories: [CategoryConfiguration] = []
    /// Of a firewall, each for itself.
    var applicationGateways: [ApplicationGateway] = []
    var virtualServices: [VirtualServiceDefinition] = []
    /// Of a gateway firewall.
    var gatewayFirewall: GatewayFirewallDefinition?
    var programs: [ProgramDefinition] = []
    var sysctls: [Sysctl] = []
    /// Further addresses of a host on `lo`: addresses or references.
    var loopback: [LabValue] = []
    /// Where a host's tunnels end.
    var tunnel: TunnelDefinition?

    init?(_ entry: LabEntry, timers: Timers, _ reader: LabReader) {
        guard NameRule.interface.check(entry.key, "a node", at: entry.keyPosition, reader) else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        guard let roleValue = entry.value["role"], !roleValue.isNull else {
            reader.report(
                "node '\(entry.key)' needs the key 'role'", at: entry.keyPosition,
                allowed: Role.allCases.map(\.rawValue))
            return nil
        }
        guard let role: Role = reader.choice(roleValue, of: "the role of '\(entry.key)'") else { return nil }
        self.role = role
        guard let mapping = MappingReader(entry.value, role.article, keys: role.keys, reader) else { return nil }

        routing = mapping["routing"].flatMap { RoutingDefinition($0, node: entry.key, reader) } ?? RoutingDefinition()
        if let value = mapping.required("interfaces") {
            if let entries = value.entries {
                interfaces = entries.compactMap { InterfaceDefinition($0, node: entry.key, reader) }
                if interfaces.isEmpty, entries.isEmpty {
                    reader.report("node '\(entry.key)' has no interface", at: value.position)
                }
            } else {
                reader.report(
                    "the interfaces of '\(entry.key)' are \(value.found)", at: value.position,
                    allowed: ["a mapping of interface names to addresses"])
            }
        }
        gateway = mapping["gateway"]
        routes = mapping["routes"].map { Self.routes($0, node: entry.key, reader) } ?? []
        if gateway != nil, let second = routes.first(where: { $0.destination?.isDefault ?? true }) {
            reader.report("'\(entry.key)' has a gateway and a default route as well", at: second.position)
        }
        trackedRoutes = Self.named(mapping["tracked-routes"], "the tracked routes of '\(entry.key)'", reader)
            .compactMap { TrackedRouteDefinition($0, of: entry.key, reader) }
        for route in trackedRoutes
        where routes.contains(where: { ($0.destination ?? .ipv4(.any)) == .ipv4(route.destination) })
            || (route.destination == .any && gateway != nil)
        {
            reader.report("'\(entry.key)' has another route to \(route.destination) as well", at: route.position)
        }
        services = mapping["services"].map { ServicesDefinition($0, node: entry.key, reader) }
        redundancy = mapping["redundancy"].flatMap { RedundancyDefinition($0, reader) }
        nat = mapping["nat"].flatMap { NATDefinition($0, reader) }
        if role == .firewall {
            (objects, policy) = PolicyDefinition.policy(mapping, interfaces: interfaces.map(\.name.value), reader)
            sessionCapacity = mapping.integer("sessions", in: 1...16_777_216)
            categories = Self.categories(mapping["url-categories"], reader)
            applicationGateways =
                mapping["application-gateways"].map(reader.list)?.compactMap {
                    reader.choice($0, of: "an application gateway of '\(entry.key)'")
                } ?? []
        }
        virtualServices = Self.named(mapping["virtual-services"], "the virtual services of '\(entry.key)'", reader)
            .compactMap { VirtualServiceDefinition($0, pools: mapping["pools"], timers: timers, reader) }
        checkSharedPools(reader)
        loopback = mapping["loopback"].map { reader.list($0) } ?? []
        tunnel = mapping["tunnel"].flatMap { TunnelDefinition($0, reader) }
        if role == .gatewayFirewall {
            gatewayFirewall = GatewayFirewallDefinition(mapping, of: self, timers: timers, reader)
            if gatewayFirewall?.mode == .transparent { loseAddresses(mapping, reader) }
        }
        programs = Self.named(mapping["programs"], "the programs of '\(entry.key)'", reader)
            .compactMap { ProgramDefinition($0, reader) }
        checkPorts(reader)
        sysctls = Self.named(mapping["sysctls"], "the sysctls of '\(entry.key)'", reader)
            .compactMap { Sysctl(written: $0, reader) }
    }

    /// A port is the node's own service's, or a program's: who answers must not depend on which of them began first.
    private func checkPorts(_ reader: LabReader) {
        for program in programs {
            for port in program.ports {
                guard let other = services?.servers.first(where: { $0.value.transportPort == port }) else { continue }
                reader.report(
                    "'\(name.value)' serves \(other.value.kind.rawValue) on port \(port), which is also a port of its program '\(program.name.value)'",
                    at: other.position, allowed: ["a port of its own for each"])
            }
        }
    }

    /// A pool that another service uses as well is none for direct server return.
    private func checkSharedPools(_ reader: LabReader) {
        for service in virtualServices where service.directReturn != nil {
            guard let pool = service.poolName,
                let other = virtualServices.first(where: {
                    $0.poolName?.value == pool.value && $0.name.value != service.name.value
                })
            else { continue }
            reader.report(
                "virtual service '\(service.name.value)' has 'dsr', but shares pool '\(pool.value)' with '\(other.name.value)': direct server return does not support pool sharing",
                at: pool.position, allowed: ["a pool of its own"])
        }
    }

    /// `url-categories: { video: [video.example, cdn.example] }`
    private static func categories(_ value: LabValue?, _ reader: LabReader) -> [CategoryConfiguration] {
        named(value, "the URL categories", reader).map { entry in
            LabLimits(reader: reader).check(
                entry.key, of: LabValue.shortened(entry.key), most: NameRule.word.maximumLength, at: entry.keyPosition)
            let domains = reader.list(entry.value).compactMap { element -> String? in
                let what = "a domain of the category '\(LabValue.shortened(entry.key))'"
                guard let text = reader.text(element, of: what) else { return nil }
                let isName =
                    text.utf8.count <= 253
                    && text.split(separator: ".", omittingEmptySubsequences: false)
                        .allSatisfy { label in
                            !label.isEmpty
                                && label.utf8.allSatisfy { byte in
                                    (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x2d
                                        || byte == 0x5f
                                }
                        }
                if isName { return text }
                reader.report(
                    "\(what) is \(element.found)", at: element.position,
                    allowed: ["a domain, such as example.com, which stands for all names below it too"])
                return nil
            }
            return CategoryConfiguration(name: entry.key, domains: domains)
        }
    }

    /// The entries of a mapping whose keys are names.
    static func named(_ value: LabValue?, _ what: String, _ reader: LabReader) -> [LabEntry] {
        guard let value else { return [] }
        if let entries = value.entries { return entries }
        reader.report("\(what) are \(value.found)", at: value.position, allowed: ["a mapping with a name for each"])
        return []
    }

    /// `routes: { 203.0.113.0/24: 198.51.100.1, default: fw-a.inside }`
    static func routes(_ value: LabValue, node: String, _ reader: LabReader) -> [Route] {
        var routes: [Route] = []
        for entry in named(value, "the routes of '\(node)'", reader) {
            let destination = IPNetwork(entry.key)
            guard destination != nil || entry.key == "default" else {
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no destination of a route", at: entry.keyPosition,
                    allowed: [IPNetwork.textForm, "default"],
                    suggestion: IPInterfaceAddress(entry.key).map { "\($0.network)" })
                continue
            }
            if routes.contains(where: { $0.destination == destination }) {
                reader.report("'\(node)' has two routes to \(entry.key)", at: entry.keyPosition)
                continue
            }
            routes.append(Route(destination: destination, gateway: entry.value, position: entry.keyPosition))
        }
        return routes
    }
}

extension Sysctl {
    /// `net.ipv4.conf.all.rp_filter: 1`, with dots or slashes.
    init?(written entry: LabEntry, _ reader: LabReader) {
        let path = entry.key.contains("/") ? entry.key : entry.key.split(separator: ".").joined(separator: "/")
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "net",
            parts.allSatisfy({
                !$0.isEmpty && $0 != ".." && $0 != "."
                    && $0.allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) }
            })
        else {
            reader.report(
                "'\(LabValue.shortened(entry.key))' is no setting of a network namespace", at: entry.keyPosition,
                allowed: ["names below net, such as net.ipv4.conf.all.rp_filter"])
            return nil
        }
        guard let value = reader.text(entry.value, of: "sysctl '\(entry.key)'") else { return nil }
        self.init(path, value)
    }
}

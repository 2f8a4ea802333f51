import Configuration
import LabFile
import Measurement
import Wire

/// A node as written.
struct NodeDefinition {
    struct Route {
        /// nil for `default`, of each family that the gateway has, and for a reference.
        var destination: IPNetwork?
        /// To the address that is the destination: `lan/gateway.address`.
        var reference: String?
        /// An address or a reference, or a list with one of each family; of hosts, several of a family are equal paths.
        var gateway: LabValue
        var position: SourcePosition

        var isDefault: Bool { reference == nil && destination?.isDefault ?? true }
    }

    var name: Located<String>
    var role: RoleForm
    /// What only nodes of its role have; nil while the rest is read.
    private(set) var own: (any RoleDefinition)?
    var interfaces: [InterfaceDefinition] = []
    /// An address or a reference, or a list with one of each family.
    var gateway: LabValue?
    var routes: [Route] = []
    var routing: RoutingDefinition
    var programs: [ProgramDefinition] = []
    var image: ImageDefinition?
    var sysctls: [Sysctl] = []
    var virtualAddresses: [VirtualAddressDefinition] = []

    /// The keys of every role, before and after those of its own.
    static let keys = (
        first: ["role", "interfaces", "gateway", "routes", "routing"],
        last: ["programs", "image", "sysctls", "virtual-addresses"]
    )

    init?(_ entry: LabEntry, timers: Timers, _ reader: LabReader) {
        guard NameRule.interface.check(entry.key, "a node", at: entry.keyPosition, reader) else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        guard let roleValue = entry.value["role"], !roleValue.isNull else {
            reader.report(
                "node '\(entry.key)' needs the key 'role'", at: entry.keyPosition,
                allowed: RoleForm.allCases.map(\.rawValue))
            return nil
        }
        guard let role: RoleForm = reader.choice(roleValue, of: "the role of '\(entry.key)'") else { return nil }
        self.role = role
        guard let mapping = MappingReader(entry.value, role.article, keys: role.allKeys, reader) else { return nil }

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
        if gateway != nil, let second = routes.first(where: \.isDefault) {
            reader.report("'\(entry.key)' has a gateway and a default route as well", at: second.position)
        }
        own = role.read(mapping, &self, timers)
        programs = Self.named(mapping["programs"], "the programs of '\(entry.key)'", reader)
            .compactMap { ProgramDefinition($0, reader) }
        image = mapping["image"].flatMap { ImageDefinition($0, reader) }
        checkPorts(reader)
        sysctls = Self.named(mapping["sysctls"], "the sysctls of '\(entry.key)'", reader)
            .compactMap { Sysctl(written: $0, reader) }
        virtualAddresses = VirtualAddressDefinition.all(
            mapping["virtual-addresses"], of: "node '\(entry.key)'", reader)
    }

    /// A port is the node's own service's, or a program's: who answers must not depend on which of them began first.
    private func checkPorts(_ reader: LabReader) {
        for program in programs {
            for port in program.ports {
                guard let other = host?.services?.servers.first(where: { $0.value.transportPort == port }) else {
                    continue
                }
                reader.report(
                    "'\(name.value)' serves \(other.value.kind.rawValue) on port \(port), which is also a port of its program '\(program.name.value)'",
                    at: other.position, allowed: ["a port of its own for each"])
            }
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
            let destination = IPNetwork(entry.key) ?? IPAddress(entry.key).map(\.ownNetwork)
            let reference = ReferenceTable.hasSuffix(entry.key) ? entry.key : nil
            guard destination != nil || reference != nil || entry.key == "default" else {
                reader.report(
                    "'\(LabValue.shortened(entry.key))' is no destination of a route", at: entry.keyPosition,
                    allowed: [IPNetwork.textForm, "default"],
                    suggestion: IPInterfaceAddress(entry.key).map { "\($0.network)" })
                continue
            }
            if routes.contains(where: { $0.destination == destination && $0.reference == reference }) {
                reader.report("'\(node)' has two routes to \(entry.key)", at: entry.keyPosition)
                continue
            }
            routes.append(
                Route(
                    destination: destination, reference: reference, gateway: entry.value, position: entry.keyPosition))
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

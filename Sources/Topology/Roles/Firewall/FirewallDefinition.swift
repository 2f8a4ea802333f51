import Configuration
import Dataplane
import LabFile

extension RoleForm {
    static let firewall = RoleForm(
        word: "firewall", article: "a firewall", summary: "a [firewall](firewall.md), alone or of a pair",
        keys: [
            "redundancy", "nat", "objects", "rules", "otherwise", "sessions", "url-categories", "application-gateways",
        ],
        carriesIPv6: false, configuration: FirewallConfiguration.self,
        example: """
            example:
              role: firewall
              interfaces: { left: 192.0.2.2, right: 198.51.100.2 }
              redundancy: { peer: other, addresses: { left: 192.0.2.1, right: 198.51.100.1 } }
              nat: { pools: { guests: { addresses: [192.0.2.7] } }, rules: [{ source: 198.51.100.0/24, pool: guests }] }
              objects: { servers: [198.51.100.20] }
              rules: { web: { action: allow, to: servers, protocol: tcp, ports: 80 } }
              otherwise: deny
              sessions: 1000
              url-categories: { video: [video.example] }
              application-gateways: [ftp]
            other:
              role: firewall
              interfaces: { left: 192.0.2.3, right: 198.51.100.3 }
              application-gateways: [ftp]
            """
    ) { mapping, node, _ in FirewallDefinition(mapping, node) }
}

/// What only a firewall has, as written.
struct FirewallDefinition: RoleDefinition {
    var redundancy: RedundancyDefinition?
    /// Its peer may say it.
    var nat: NATDefinition?
    /// Its objects are empty until it is known what `objects` stand for.
    var policy: PolicyConfiguration
    var objects: [PolicyDefinition.Object]
    /// The most sessions.
    var sessionCapacity: Int?
    var categories: [CategoryConfiguration]
    /// Each box for itself.
    var applicationGateways: [ApplicationGateway]

    init(_ mapping: MappingReader, _ node: NodeDefinition) {
        let reader = mapping.reader
        redundancy = mapping["redundancy"].flatMap { RedundancyDefinition($0, reader) }
        nat = mapping["nat"].flatMap { NATDefinition($0, reader) }
        (objects, policy) = PolicyDefinition.policy(mapping, interfaces: node.interfaces.map(\.name.value), reader)
        sessionCapacity = mapping.integer("sessions", in: 1...16_777_216)
        categories = Self.categories(mapping["url-categories"], reader)
        applicationGateways =
            mapping["application-gateways"].map(reader.list)?.compactMap {
                reader.choice($0, of: "an application gateway of '\(node.name.value)'")
            } ?? []
    }

    /// `url-categories: { video: [video.example, cdn.example] }`
    private static func categories(_ value: LabValue?, _ reader: LabReader) -> [CategoryConfiguration] {
        NodeDefinition.named(value, "the URL categories", reader).map { entry in
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

    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)? {
        let name = node.name.value
        let pair = resolution.redundancy(of: name)
        // The numbers of categories cross to the peer: what one box says counts for both.
        let peer = pair.flatMap { resolution.definition(of: $0.peer)?.firewall }
        return FirewallConfiguration(
            name: name, ports: ports, routes: routes, redundancy: pair, nat: resolution.nat(of: name),
            policy: resolution.policy(of: self),
            sessionCapacity: sessionCapacity ?? peer?.sessionCapacity ?? 65_536,
            categories: categories.isEmpty ? peer?.categories ?? [] : categories,
            applicationGateways: applicationGateways)
    }
}

extension NodeDefinition {
    var firewall: FirewallDefinition? { own as? FirewallDefinition }
    var redundancy: RedundancyDefinition? { firewall?.redundancy }
    var nat: NATDefinition? { firewall?.nat }
}

import Configuration
import Dataplane
import LabFile
import LabTime

extension RoleForm {
    static let gatewayFirewall = RoleForm(
        word: "gateway-firewall", article: "a gateway firewall", summary: "a [gateway firewall](gateway-firewall.md)",
        keys: ["mode", "profile", "filter", "pick-up", "misfit", "timers"], carriesIPv6: false,
        configuration: GatewayFirewallConfiguration.self,
        example: """
            example:
              role: gateway-firewall
              interfaces: { left: 192.0.2.2, right: 198.51.100.2 }
              mode: routed
              profile: nsx-gateway
              filter: { left: both, right: off }
              pick-up: loose
              misfit: drop
              timers: { first-packet: 10s }
            """
    ) { mapping, node, timers in
        let own = GatewayFirewallDefinition(mapping, of: node, timers: timers, mapping.reader)
        if own.mode == .transparent {
            if node.interfaces.count != 2 {
                mapping.reader.report(
                    "the transparent gateway firewall '\(node.name.value)' joins two interfaces; it has \(node.interfaces.count)",
                    at: mapping.keyPosition("interfaces"))
            }
            node.joinNetworks(as: "transparent gateway firewall", otherwise: "'mode: routed'", mapping)
        }
        return own
    }
}

/// What makes a node a gateway firewall, as written, with defaults for what the lab does not say.
struct GatewayFirewallDefinition: RoleDefinition {
    var mode: GatewayMode
    var profile: StateProfile
    /// One for each interface, in their order.
    var filtering: [PortFiltering]
    var midStreamPickup: MidStreamPickup
    /// nil: the profile's own.
    var outOfStatePolicy: OutOfStatePolicy?
    var timers: StateTimers

    init(_ mapping: MappingReader, of node: NodeDefinition, timers: Timers, _ reader: LabReader) {
        let name = node.name.value
        mode = mapping.choice("mode") ?? .transparent
        profile = mapping.choice("profile") ?? .nsxGateway
        midStreamPickup = mapping.choice("pick-up") ?? .loose
        outOfStatePolicy = mapping.choice("misfit")
        filtering = Self.filtering(mapping["filter"], of: node, reader)
        self.timers = timers.states(profile)
        if let value = mapping["timers"] { override(value, of: name, isVendor: timers == .vendor, reader) }
        if mode == .routed, node.interfaces.count < 2 {
            reader.report(
                "the gateway firewall '\(name)' needs two interfaces or more", at: mapping.keyPosition("interfaces"))
        }
    }

    var joint: String? { mode == .transparent ? "a transparent gateway firewall" : nil }

    func resolved(
        _ node: NodeDefinition, _ ports: [PortConfiguration], _ routes: [RouteConfiguration],
        in resolution: Resolution
    ) -> (any ResolvedRole)? {
        let name = node.name.value
        if mode == .transparent, Set(ports.map(\.mtu)).count > 1 {
            resolution.reader.report(
                "the networks of the transparent gateway firewall '\(name)' have MTU \(ports.map { "\($0.mtu)" }.joined(separator: " and "))",
                at: node.name.position, allowed: ["the same MTU"])
        }
        return GatewayFirewallConfiguration(
            name: name, ports: ports, routes: routes, mode: mode, profile: profile, filtering: filtering,
            midStreamPickup: midStreamPickup, outOfStatePolicy: outOfStatePolicy, timers: timers)
    }

    /// `filter: both` for all interfaces, or one word for each; an interface that the mapping leaves out does not
    /// filter. Without `filter`, all filter both directions.
    private static func filtering(
        _ value: LabValue?, of node: NodeDefinition, _ reader: LabReader
    ) -> [PortFiltering] {
        let name = node.name.value
        guard let value else { return node.interfaces.map { _ in .both } }
        if value.text != nil {
            let word: PortFiltering = reader.choice(value, of: "'filter' of '\(name)'") ?? .both
            return node.interfaces.map { _ in word }
        }
        let names = node.interfaces.map(\.name.value)
        var filtering = names.map { _ in PortFiltering.off }
        guard let mapping = MappingReader(value, "the filter of '\(name)'", keys: names, reader) else {
            return filtering
        }
        for (index, name) in names.enumerated() {
            if let word: PortFiltering = mapping.choice(name) { filtering[index] = word }
        }
        return filtering
    }

    /// `timers: { first-packet: 10s, udp.single: 5s }`
    private mutating func override(_ value: LabValue, of node: String, isVendor: Bool, _ reader: LabReader) {
        let names = StateTimer.allCases.map(\.name)
        guard let mapping = MappingReader(value, "the timers of '\(node)'", keys: names, reader) else { return }
        for timer in StateTimer.allCases {
            // The product's own limit, where a lab claims to run the product's own timers.
            let least: Duration =
                isVendor && profile != .pf && timer == .firstPacket ? .seconds(10) : .milliseconds(1)
            if let duration = mapping.duration(timer.name, in: least...(.seconds(100 * 86_400))) {
                timers[timer] = duration
            }
        }
    }
}

extension NodeDefinition {
    var gatewayFirewall: GatewayFirewallDefinition? { own as? GatewayFirewallDefinition }
}

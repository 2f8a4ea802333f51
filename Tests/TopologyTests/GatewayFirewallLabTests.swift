import Configuration
import Dataplane
import LabFile
import LabTime
import Testing
import Wire

@testable import Topology

private let text = """
    schema: 1
    name: gateway
    networks:
      front: 10.0.0.0/24
      servers:
    nodes:
      client:
        role: client
        interfaces: { front: 10.0.0.1 }
      gw:
        role: gateway-firewall
        mode: transparent
        profile: nsx-gateway
        interfaces: { front: , servers: }
        filter: { servers: inbound-only }
        timers: { first-packet: 1s, udp.single: 500ms }
      member:
        role: backend
        interfaces: { servers: 10.0.0.3 }
    traffic:
      new: { from: client, to: member:443, kind: tcp-connect, every: 50ms }
    scenario:
      - start: new
      - wait: 1s
    expect:
      - new: { succeeds: true }
      - event: { name: gw.state-closing-closed, count: 0 }
    """

private func gateway(_ text: String) throws -> GatewayFirewallConfiguration {
    let lab = try Lab(parsing: text, path: "lab.yaml")
    guard let configuration = lab.variants[0].node(named: "gw")?.role.gatewayFirewall else {
        throw CancellationError()
    }
    return configuration
}

private func messages(_ text: String) -> [String] {
    do {
        _ = try Lab(parsing: text, path: "lab.yaml")
        return []
    } catch {
        return error.errors.map { "lab.yaml:\($0)" }
    }
}

private func replacing(_ old: String, _ new: String) -> String {
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    precondition(parts.count == 2, "the lab has no '\(old)'")
    return parts[0] + new + parts[1]
}

@Suite struct `A gateway firewall in a lab file` {
    @Test func `is a bump in the wire between two networks of one subnet`() throws {
        let lab = try Lab(parsing: text, path: "lab.yaml")
        let variant = lab.variants[0]
        #expect(variant.networks.map { $0.subnet?.description } == ["10.0.0.0/24", "10.0.0.0/24"])
        #expect(variant.node(named: "gw")?.interfaces.map(\.address) == [nil, nil])
        #expect(variant.node(named: "gw")?.isBox == true)
        let configuration = try gateway(text)
        #expect(configuration.mode == .transparent)
        #expect(configuration.profile == .nsxGateway)
        #expect(configuration.filtering == [.off, .inboundOnly])
        #expect(configuration.midStreamPickup == .loose)
        #expect(configuration.outOfStatePolicy == .icmp)
        // Both ends stay in one subnet, each on its own network.
        let plan = Plan(for: variant)
        #expect(plan.links.count == 4)
    }

    @Test func `has a tenth of the profile's timers, or the vendor's own, except those that the lab sets`() throws {
        let quick = try gateway(text).timers
        #expect(quick.firstPacket == .seconds(1))
        #expect(quick.udpSingle == .milliseconds(500))
        #expect(quick.opening == .seconds(3))
        #expect(quick.finWait == .milliseconds(400))
        let vendor = try gateway(
            replacing("name: gateway\n", "name: gateway\ntimers: vendor\n").replacing(
                "first-packet: 1s", "first-packet: 10s")
        ).timers
        #expect(vendor.firstPacket == .seconds(10))
        #expect(vendor.opening == .seconds(30))
        #expect(vendor.finWait == .seconds(4))
    }

    @Test func `filters both directions unless the lab says otherwise`() throws {
        #expect(try gateway(replacing("    filter: { servers: inbound-only }\n", "")).filtering == [.both, .both])
        #expect(
            try gateway(replacing("{ servers: inbound-only }", "inbound-only")).filtering == [
                .inboundOnly, .inboundOnly,
            ])
        #expect(
            try gateway(replacing("{ servers: inbound-only }", "{ servers: both, front: off }")).filtering == [
                .off, .both,
            ])
    }

    @Test func `can be routed, with strict pick-up and a policy of its own`() throws {
        let routed = replacing("mode: transparent", "mode: routed\n    pick-up: strict\n    misfit: reset")
            .replacing("  servers:\nnodes", "  servers: 10.0.1.0/24\nnodes")
            .replacing("{ front: , servers: }", "{ front: 10.0.0.254, servers: 10.0.1.254 }")
            .replacing("servers: 10.0.0.3", "servers: 10.0.1.3")
        let configuration = try gateway(routed)
        #expect(configuration.mode == .routed)
        #expect(configuration.ports.map { $0.address?.description } == ["10.0.0.254/24", "10.0.1.254/24"])
        #expect(configuration.midStreamPickup == .strict)
        #expect(configuration.outOfStatePolicy == .reset)
    }

    static let mistakes: [(String, String, String)] = [
        (
            "profile: nsx-gateway", "profile: nsx",
            "lab.yaml:13:14: 'profile' of a gateway firewall is 'nsx'; allowed: nsx-gateway, nsx-distributed, pf"
        ),
        ("mode: transparent", "mode: bridge", "lab.yaml:12:11:"),
        (
            "{ servers: inbound-only }", "{ server: both }",
            "lab.yaml:15:15: unknown key 'server' of the filter of 'gw'; allowed: front, servers; did you mean 'servers'?"
        ),
        (
            "{ servers: inbound-only }", "{ servers: inbound }",
            "allowed: off, inbound-only, both"
        ),
        (
            "first-packet: 1s", "first-paket: 1s",
            "unknown key 'first-paket' of the timers of 'gw'; allowed: first-packet, opening, established, closing, finwait, closed, udp.first-packet, udp.single, udp.multiple, icmp.first-packet, icmp.error-reply; did you mean 'first-packet'?"
        ),
        ("first-packet: 1s", "first-packet: 10", "without a unit"),
        (
            "{ front: , servers: }", "{ front: 10.0.0.2, servers: }",
            "lab.yaml:14:26: gw.front has an address, but a transparent gateway firewall has none; allowed: none, 'mode: routed'"
        ),
        (
            "{ front: , servers: }", "{ front: }",
            "the transparent gateway firewall 'gw' joins two interfaces; it has 1"
        ),
        (
            "mode: transparent", "mode: transparent\n    gateway: 10.0.0.1",
            "the transparent gateway firewall 'gw' has no routes; allowed: no 'gateway', 'mode: routed'"
        ),
        (
            "  servers:\nnodes", "  servers: 10.0.1.0/24\nnodes",
            "network 'servers' has the subnet 10.0.1.0/24 and 'front' has 10.0.0.0/24, but a transparent gateway firewall joins them; allowed: 10.0.0.0/24, no subnet: it is that of 'front' then"
        ),
        (
            "  servers:\nnodes", "  servers: { mtu: 1400 }\nnodes",
            "the networks of the transparent gateway firewall 'gw' have MTU 1500 and 1400"
        ),
        ("count: 0", "cuont: 0", "did you mean 'count'?"),
        ("gw.state-closing-closed", "gw.state-closed", "there is no event 'gw.state-closed'"),
        (
            "name: gateway\n", "name: gateway\ntimers: vendor\n",
            "allowed: 10s to"
        ),
    ]

    @Test(arguments: mistakes) func `gets a message about each mistake`(old: String, new: String, message: String) {
        let all = messages(replacing(old, new))
        #expect(all.contains { $0.contains(message) }, "\(all)")
    }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        let parts = split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        precondition(parts.count == 2, "the lab has no '\(old)'")
        return parts[0] + new + parts[1]
    }
}

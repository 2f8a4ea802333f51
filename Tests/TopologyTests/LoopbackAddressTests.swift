import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

/// Addresses on the loopback of hosts, and routes with several next hops.
@Suite struct `Loopback addresses and equal paths` {
    private func lab(
        client: String = "gateway: r1.lan", loopback: String = "[203.0.113.1, '2001:db8:99::1', 10.64.0.0/24]",
        traffic: String = "server.lo.ip:7", extra: String = ""
    ) -> String {
        """
        schema: 1
        name: loopback
        networks: { lan: [192.0.2.0/24, 2001:db8:1::/64], wan: [198.51.100.0/24, 2001:db8:2::/64] }
        nodes:
          client: { role: client, interfaces: { lan: }, \(client) }
          r1: { role: router, interfaces: { lan: , wan: }, routes: { server.lo.ip: server.wan, server.lo.ip6: server.wan.ip6 } }
          r2: { role: router, interfaces: { lan: , wan: }, routes: { 203.0.113.1: server.wan } }
          server: { role: backend, interfaces: { wan: }, gateway: r1.wan, loopback: \(loopback) }
        \(extra)
        traffic:
          app: { from: client, to: "\(traffic)", kind: tcp-connect }
        scenario: [{ start: app }, { wait: 1s }]
        expect:
          - app: survived
          - frames: { on: client.lan, match: tcp and host server.lo.ip }
            every: { ip.dst: server.lo.ip }
        """
    }

    private func variant(_ text: String) throws -> Variant {
        try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `one is a target of traffic, a destination of routes, and in filters and checks`() throws {
        let variant = try variant(lab())
        #expect(variant.traffic[0].target == IPAddress("203.0.113.1")!)
        let routes = try #require(variant.node(named: "r1")).routes
        #expect(routes.map { "\($0.destination)" } == ["203.0.113.1/32", "2001:db8:99::1/128"])
        #expect(variant.node(named: "r2")?.routes.first?.destination == routes[0].destination)
        // What asks it makes its node serve.
        #expect(variant.node(named: "server")?.role.host?.servers.map(\.port) == [7])
        let again = try self.variant(variant.resolvedYAML)
        #expect(again.nodes == variant.nodes)
    }

    @Test(arguments: ["203.0.113.1:7", "10.64.0.77:7", "[2001:db8:99::1]:7", "server.lo.ip6:7"])
    func `traffic may name each of them`(to: String) throws {
        _ = try variant(lab(traffic: to))
    }

    @Test func `one that is on a network of the lab is a next hop there, and several nodes may have it`() throws {
        let text = lab(
            client: "gateway: 192.0.2.77",
            extra: "  r3: { role: router, interfaces: { lan: }, loopback: 192.0.2.77 }\n"
                + "  r4: { role: router, interfaces: { lan: }, loopback: 192.0.2.77 }")
        #expect(try variant(text).node(named: "client")?.routes.first?.gateway == IPAddress("192.0.2.77")!)
    }

    @Test func `several next hops of a family are one route of both families, also to default`() throws {
        let variant = try variant(
            lab(client: "gateway: [r1.lan, r2.lan], routes: { 203.0.113.1: [r1.lan, r2.lan] }"))
        let plan = Plan(for: variant).namespaces.first { $0.id == .host("client") }?.configuration ?? []
        let routes = plan.map { "\($0)" }.filter { $0.contains(": route ") }
        let (r1, r2) = (try #require(variant.node(named: "r1")), try #require(variant.node(named: "r2")))
        let (four, six) = (
            [r1, r2].compactMap { $0.interfaces[0].address?.address }.map { "\($0)" },
            [r1, r2].compactMap { $0.interfaces[0].ipv6?.address }.map { "\($0)" }
        )
        #expect(routes.count == 3, "\(routes)")
        for words in [
            "route 203.0.113.1/32 via \(four[0]) and \(four[1])", "route 0.0.0.0/0 via \(four[0]) and \(four[1])",
            "route ::/0 via \(six[0]) and \(six[1])",
        ] { #expect(routes.contains { $0.contains(words) }, "\(words)\n\(routes)") }
    }

    @Test(arguments: [
        (["client": "gateway: [r1.lan, r1.lan]"], "the gateway of 'client' has 192.0.2."),
        (["client": "gateway: r1.lan, routes: { server.lo.ipx: r1.lan }"], "'server.lo.ipx' is no destination"),
        (["client": "gateway: r1.lan, routes: { server.lan.ip: r1.lan }"], "'server.lan.ip' refers to nothing"),
        (["client": "gateway: r1.lan, routes: { r1.lan.mac: r1.lan }"], "'r1.lan.mac' is no address"),
        (["traffic": "203.0.113.2:7"], "203.0.113.2, which nobody in the lab has"),
        (["loopback": "[198.51.100.1]"], "'server.lo.ip6' refers to nothing"),
    ])
    func `what is wrong is reported`(_ change: [String: String], _ message: String) {
        let found = messages(
            lab(
                client: change["client"] ?? "gateway: r1.lan",
                loopback: change["loopback"] ?? "[203.0.113.1, '2001:db8:99::1', 10.64.0.0/24]",
                traffic: change["traffic"] ?? "server.lo.ip:7"))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }
}

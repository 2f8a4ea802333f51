import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

@Suite struct `Virtual addresses` {
    /// - Parameters:
    ///   - lan: of the network `lan`, beside its subnets
    ///   - node: lines of the node `r1`, which runs a program
    private func lab(
        lan: String = "virtual-addresses: { gateway: 192.0.2.1, gateway-6: fe80::1 }", node: String = "",
        client: String = "gateway: lan/gateway.address", traffic: String = "server:7"
    ) -> String {
        """
        schema: 1
        name: virtual
        networks:
          lan: { subnet: [192.0.2.0/24, 2001:db8:1::/64], \(lan) }
          wan: [198.51.100.0/24, 2001:db8:2::/64]
        nodes:
          client: { role: client, interfaces: { lan: }, \(client) }
          r1:
            role: router
            interfaces: { lan: , wan: }
            programs: { daemon: { run: [sleep, inf], ready: { tcp: 80 } } }
        \(node.isEmpty ? "    sysctls: {}" : "    " + node)
          r2: { role: router, interfaces: { lan: , wan: }, programs: { daemon: { run: [sleep, inf] } } }
          server: { role: backend, interfaces: { wan: }, gateway: r1.wan }
        traffic:
          app: { from: client, to: "\(traffic)", kind: tcp-connect }
        scenario: [{ start: app }, { wait: 1s }]
        expect:
          - app: survived
          - frames: { on: client.lan, match: arp and host lan/gateway.address }
            some: { arp.sender.ip: lan/gateway.address }
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

    @Test func `one of a network is a gateway, in filters and in checks, and no interface gets it`() throws {
        let variant = try variant(lab())
        let client = try #require(variant.node(named: "client"))
        #expect(client.routes == [RouteConfiguration(destination: .ipv4(.any), gateway: IPAddress("192.0.2.1")!)])
        #expect(client.interfaces[0].address?.address == IPv4Address("192.0.2.2")!)
        #expect(variant.references["lan/gateway.address"] == "192.0.2.1")
    }

    @Test func `a link-local gateway has the interface of its network`() throws {
        let variant = try variant(lab(client: "gateway: [192.0.2.1, 'fe80::1']"))
        let client = try #require(variant.node(named: "client"))
        let destination = IPNetwork.ipv6(.any)
        #expect(
            client.routes.last
                == RouteConfiguration(destination: destination, gateway: IPAddress("fe80::1")!, interface: "lan"))
        let plan = Plan(for: variant).namespaces.first { $0.id == .host("client") }?.configuration ?? []
        #expect(plan.contains { "\($0)".contains("route ::/0 via fe80::1 dev lan") }, "\(plan)")
    }

    @Test func `routes may lead by it, and a reference with a name stands for it`() throws {
        let variant = try variant(
            lab(client: "routes: { 198.51.100.0/24: lan/gateway.address, '2001:db8:2::/64': lan/gateway-6.address }"))
        let routes = try #require(variant.node(named: "client")).routes
        #expect(routes.map { "\($0.gateway)" } == ["192.0.2.1", "fe80::1"])
        #expect(routes.map(\.interface) == [nil, "lan"])
    }

    @Test(arguments: ["192.0.2.1:80", "lan/gateway.address:80"])
    func `traffic goes to it where a program of some holder listens`(to: String) throws {
        let program = try variant(lab(traffic: to)).traffic[0]
        #expect(program.target == IPAddress("192.0.2.1")! && program.port == 80)
    }

    @Test func `one of a node may be on no network, and several nodes may have it`() throws {
        let text = lab(
            node: "virtual-addresses: [192.0.2.77, 203.0.113.1]", client: "routes: { 203.0.113.1/32: 192.0.2.77 }"
        )
        .replacing("{ arp.sender.ip: lan/gateway.address }", with: "{ ip.dst: 203.0.113.1 }")
        let variant = try variant(text)
        #expect(variant.node(named: "client")?.routes.first?.gateway == IPAddress("192.0.2.77")!)
    }

    @Test func `a resolved lab reads back to an equal one`() throws {
        let variant = try variant(lab(client: "gateway: [192.0.2.1, 'fe80::1']"))
        let again = try self.variant(variant.resolvedYAML)
        #expect(again.nodes == variant.nodes && again.networks == variant.networks)
        #expect(again.references == variant.references)
    }

    @Test(arguments: [
        (["lan": "virtual-addresses: 192.0.2.300"], "4:", "a virtual address of network 'lan' is '192.0.2.300'"),
        (
            ["lan": "virtual-addresses: 192.0.3.1"], "4:",
            "virtual address 192.0.3.1 of network 'lan' is outside network 'lan'"
        ),
        (
            ["lan": "virtual-addresses: { Gateway: 192.0.2.1 }"], "4:",
            "'Gateway' cannot be the name of a virtual address"
        ),
        (["client": "gateway: 192.0.2.9"], "7:", "which nobody has on network 'lan'"),
        (
            ["client": "gateway: 'fe80::2'"], "7:",
            "which nobody has on its networks; allowed: 'virtual-addresses: fe80::2' of network 'lan'"
        ),
        (["client": "gateway: lan/gatewy.address"], "7:", "'lan/gatewy.address' refers to nothing"),
        (["node": "virtual-addresses: 'fe80::9'"], "12:", "is link-local, and the node is on several networks"),
        (["node": "virtual-addresses: 198.51.100.3"], "", "belongs to"),
        (["traffic": "lan/gatewy.address:80"], "16:", "'lan/gatewy.address' refers to nothing"),
        (["traffic": "192.0.2.1:81"], "16:", "asks port 81/tcp of 'r1'"),
        (
            ["traffic": "192.0.2.9:80"], "16:",
            "192.0.2.9, which nobody in the lab has; allowed: an address of the lab, 'virtual-addresses' of a network or node"
        ),
    ])
    func `what is wrong is told with its place`(_ change: [String: String], _ line: String, _ message: String) {
        var text = lab(
            lan: change["lan"] ?? "virtual-addresses: { gateway: 192.0.2.1, gateway-6: fe80::1 }",
            node: change["node"] ?? "", client: change["client"] ?? "gateway: r1.lan",
            traffic: change["traffic"] ?? "server:7")
        if change["node"]?.contains("198.51.100.3") == true {
            text = text.replacing("interfaces: { wan: }", with: "interfaces: { wan: 198.51.100.3 }")
        }
        if change["lan"] != nil {
            text = text.replacing("host lan/gateway.address", with: "host 192.0.2.1")
                .replacing("arp.sender.ip: lan/gateway.address", with: "arp.sender.ip: 192.0.2.1")
        }
        let found = messages(text)
        #expect(found.contains { $0.hasPrefix(line) && $0.contains(message) }, "\(found)")
    }

    @Test func `a network without a program that could have it refuses it`() {
        let text = lab(client: "gateway: r1.lan")
            .replacing(
                "programs: { daemon: { run: [sleep, inf], ready: { tcp: 80 } } }", with: "services: { echo: 9/tcp }"
            )
            .replacing(", programs: { daemon: { run: [sleep, inf] } }", with: "")
        let found = messages(text)
        #expect(found.contains { $0.hasPrefix("4:") && $0.contains("no node on it runs a program") }, "\(found)")
    }

    @Test func `a box takes no link-local gateway`() {
        let text = lab().replacing(
            "  server: {", with: "  lb: { role: load-balancer, interfaces: { lan: }, gateway: 'fe80::1' }\n  server: {")
        let found = messages(text)
        #expect(found.contains { $0.contains("the dataplane of a box takes no link-local gateway") }, "\(found)")
    }
}

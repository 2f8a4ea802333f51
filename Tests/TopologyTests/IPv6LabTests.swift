import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

/// A lab with a network of each kind: IPv6 alone, both families, IPv4 alone.
private let text = """
    schema: 1
    name: six
    networks:
      outside: 2001:db8:1::/64
      inside: [198.51.100.0/24, 2001:db8:2::/64]
      servers: { subnet: [2001:db8:3::/64, 10.0.0.0/24], switch: on }
      old: 192.0.2.0/24
    nodes:
      client: { role: client, interfaces: { outside: 2001:db8:1::10 }, gateway: router.outside }
      router:
        role: router
        interfaces: { outside: , inside: [198.51.100.1, 2001:db8:2::1], old: 192.0.2.1 }
        routes: { 2001:db8:3::/64: lb.inside, 10.0.0.0/24: lb.inside }
      lb:
        role: load-balancer
        interfaces: { inside: 198.51.100.5, servers: [2001:db8:3::5, none] }
        gateway: router.inside
        virtual-services:
          web: { listen: "[2001:db8:2::100]:80/tcp", profile: tcp-fast-path, pool: ["b1:7", "[2001:db8:3::22]:7"] }
      b1: { role: backend, interfaces: { servers: }, gateway: lb.servers.ip6 }
      b2: { role: backend, interfaces: { servers: 2001:db8:3::22/64 }, gateway: [lb.servers.ip6] }
      pc: { role: client, interfaces: { old: }, gateway: router.old }
    traffic:
      app: { from: client, to: lb/web, kind: tcp-stream }
      direct: { from: b1, to: "b2:9", kind: udp }
      sixth: { from: b1, to: "b2.servers.ip6:9", kind: udp }
      literal: { from: client, to: "[2001:db8:3::22]:5/udp", kind: udp }
    scenario:
      - start: app
      - wait: 1s
    expect:
      - frames: { on: lb.inside, match: "ip6 host lb.inside.ip6 and not host router.inside.ip" }
        every: { ip6.src: lb/web.address, ip6.hlim: "> 1", inner.icmp6.type: { not: 2 } }
    """

private func replacing(_ old: String, _ new: String) -> String {
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    precondition(parts.count == 2, "the lab has no '\(old)'")
    return parts[0] + new + parts[1]
}

private func messages(_ text: String) -> [String] {
    do throws(LabFileErrors) {
        _ = try Lab(parsing: text, path: "lab.yaml")
        return []
    } catch {
        return error.errors.map { "lab.yaml:\($0)" }
    }
}

@Suite struct `A lab with IPv6` {
    private func variant() throws -> Variant { try Lab(parsing: text, path: "lab.yaml").variants[0] }

    @Test func `has addresses of each family that a network has, given or the lowest free`() throws {
        let variant = try variant()
        func addresses(_ node: String) -> [[String]] {
            variant.node(named: node)!.interfaces.map { $0.addresses.map(\.description) }
        }
        #expect(addresses("client") == [["2001:db8:1::10/64"]])
        #expect(
            addresses("router")
                == [["2001:db8:1::1/64"], ["198.51.100.1/24", "2001:db8:2::1/64"], ["192.0.2.1/24"]])
        // A family that the list does not say is assigned, unless the list says none.
        #expect(addresses("lb") == [["198.51.100.5/24", "2001:db8:2::2/64"], ["2001:db8:3::5/64"]])
        #expect(addresses("b1") == [["10.0.0.1/24", "2001:db8:3::1/64"]])
        #expect(addresses("b2") == [["10.0.0.2/24", "2001:db8:3::22/64"]])
        #expect(addresses("pc") == [["192.0.2.2/24"]])
    }

    @Test func `has routes of each family that both ends have`() throws {
        let variant = try variant()
        func routes(_ node: String) -> [String] {
            variant.node(named: node)!.routes.map { "\($0.destination) \($0.gateway)" }
        }
        #expect(routes("client") == ["::/0 2001:db8:1::1"])
        #expect(routes("router") == ["2001:db8:3::/64 2001:db8:2::2", "10.0.0.0/24 198.51.100.5"])
        #expect(routes("lb") == ["0.0.0.0/0 198.51.100.1", "::/0 2001:db8:2::1"])
        #expect(routes("b1") == ["::/0 2001:db8:3::5"] && routes("b2") == ["::/0 2001:db8:3::5"])
        #expect(routes("pc") == ["0.0.0.0/0 192.0.2.1"])
    }

    @Test func `finds pool members and targets by family`() throws {
        let variant = try variant()
        guard let balancer = variant.node(named: "lb")?.role.loadBalancer else {
            Issue.record("a balancer"); return
        }
        #expect(balancer.services[0].members.map(\.address.description) == ["2001:db8:3::1", "2001:db8:3::22"])
        #expect(balancer.ports.map(\.ipv6?.description) == ["2001:db8:2::2/64", "2001:db8:3::5/64"])
        #expect(
            variant.traffic.map { $0.target.endpoint(port: $0.port) }
                == ["[2001:db8:2::100]:80", "10.0.0.2:9", "[2001:db8:3::22]:9", "[2001:db8:3::22]:5"])
    }

    @Test func `is resolved to a text that means the same`() throws {
        let variant = try variant()
        let again = try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml").variants[0]
        #expect(again.nodes == variant.nodes && again.networks == variant.networks && again.traffic == variant.traffic)
    }

    @Test func `switches IPv6 on where it has addresses, and nowhere else`() throws {
        let plan = Plan(for: try variant())
        func enabled(_ id: NamespaceID) -> [String] {
            plan.steps.filter { $0.namespace == id }.compactMap {
                guard case .set(let sysctl) = $0.action, sysctl.path.hasSuffix("/disable_ipv6"), sysctl.value == "0"
                else {
                    return nil
                }
                return String(sysctl.path.split(separator: "/")[3])
            }
        }
        #expect(
            enabled(.host("client")) == ["lo", "outside"] && enabled(.host("router")) == ["lo", "outside", "inside"])
        #expect(enabled(.host("lb")) == ["lo", "inside", "servers"])
        for id: NamespaceID in [.host("pc"), .wire("lb"), .switch("servers")] { #expect(enabled(id).isEmpty, "\(id)") }
        func forwarding(_ node: String) -> [String] {
            plan.steps.filter { $0.namespace == .host(node) }.compactMap {
                guard case .set(let sysctl) = $0.action, sysctl.path == "net/ipv6/conf/all/forwarding" else {
                    return nil
                }
                return sysctl.value
            }
        }
        #expect(forwarding("router") == ["1"] && forwarding("client") == ["0"] && forwarding("pc").isEmpty)
        // An interface takes IPv6 routes only when it is up.
        let steps = plan.steps.filter { $0.namespace == .host("router") }.map(\.action)
        let up = try #require(steps.firstIndex(of: .bringUp(interface: "inside")))
        let address = try #require(
            steps.firstIndex(of: .addAddress(IPInterfaceAddress("2001:db8:2::1/64")!, interface: "inside")))
        #expect(up < address)
    }

    struct Mistake: CustomTestStringConvertible, Sendable {
        var old: String
        var new: String
        var message: String
        var testDescription: String { new }

        init(_ old: String, _ new: String, _ message: String) {
            (self.old, self.new, self.message) = (old, new, message)
        }
    }

    @Test(arguments: [
        Mistake(
            "2001:db8:1::10 }", "2001:db8:9::10 }",
            "lab.yaml:9:50: the address 2001:db8:9::10 of client.outside is outside network 'outside'; allowed: an address in 2001:db8:1::/64"
        ),
        Mistake(
            "2001:db8:1::10 }", "192.0.2.10 }",
            "lab.yaml:9:50: the address 192.0.2.10 of client.outside is IPv4, but network 'outside' has no IPv4 subnet; allowed: an address in 2001:db8:1::/64"
        ),
        Mistake(
            "2001:db8:1::10 }", "\"2001:db8:1::\" }",
            "lab.yaml:9:50: the address 2001:db8:1:: of client.outside is the subnet-router anycast address of 'outside'; allowed: an address in 2001:db8:1::/64"
        ),
        Mistake(
            "[198.51.100.1, 2001:db8:2::1]", "[2001:db8:2::2, 2001:db8:2::1]",
            "lab.yaml:12:54: router.inside has the IPv6 addresses 2001:db8:2::2 and 2001:db8:2::1; allowed: one of each family"
        ),
        Mistake(
            "[198.51.100.0/24, 2001:db8:2::/64]", "[198.51.100.0/24, 2001:db8:1::/48]",
            "lab.yaml:5:29: the subnet 2001:db8:1::/48 of 'inside' overlaps with 2001:db8:1::/64 of 'outside'"),
        Mistake(
            "outside: 2001:db8:1::/64", "outside: fe80::/64",
            "lab.yaml:4:12: the subnet of network 'outside' is 'fe80::/64'; allowed: a global or unique local IPv6 network of /16 to /127, such as 2001:db8:1::/64"
        ),
        Mistake(
            "outside: 2001:db8:1::/64", "outside: 2001:db8:1::1/64",
            "lab.yaml:4:12: the subnet of network 'outside' is '2001:db8:1::1/64'; allowed: an IPv6 network such as 2001:db8::/64, with no bit set behind the prefix; did you mean '2001:db8:1::/64'?"
        ),
        Mistake(
            "switch: on }", "mtu: 1000 }",
            "lab.yaml:6:54: network 'servers' has the MTU 1000, but IPv6 (2001:db8:3::/64) needs 1280 at least; allowed: 1280 or more, no IPv6 subnet"
        ),
        Mistake(
            "\"[2001:db8:3::22]:7\"", "\"10.0.0.2:7\"",
            "lab.yaml:19:89: a pool member is 10.0.0.2, IPv4, but 'web' listens on 2001:db8:2::100; allowed: an IPv6 address"
        ),
        Mistake(
            "\"b1:7\"", "\"pc:7\"", "lab.yaml:19:81: a pool member is 'pc', which has no IPv6 address"),
        Mistake(
            "\"[2001:db8:2::100]:80/tcp\"", "\"2001:db8:2::100:80\"",
            "lab.yaml:19:22: 'listen' of virtual service 'web' is '2001:db8:2::100:80'; allowed: address:port or address:port/protocol, such as 198.51.100.100:80/tcp or [2001:db8::100]:80/tcp"
        ),
        Mistake(
            "\"[2001:db8:2::100]:80/tcp\"", "\"[2001:db8:2::1]:80\"",
            "lab.yaml:19:22: 2001:db8:2::1 of virtual service lb/web belongs to router.inside already (line 12)"),
        Mistake(
            "2001:db8:3::/64: lb.inside", "2001:db8:3::/64: 198.51.100.5",
            "lab.yaml:13:32: the route to 2001:db8:3::/64 of 'router' is 198.51.100.5, but the destination is IPv6; allowed: an IPv6 address"
        ),
        Mistake(
            "gateway: [lb.servers.ip6]", "gateway: 2001:db8:3::99",
            "lab.yaml:21:77: the gateway of 'b2' is 2001:db8:3::99, which nobody has on network 'servers'; allowed: 2001:db8:3::1 (b1.servers), 2001:db8:3::5 (lb.servers), 'virtual-addresses' of network 'servers', where a program takes it"
        ),
        Mistake(
            "from: client, to: lb/web", "from: pc, to: lb/web",
            "lab.yaml:24:24: 'pc' has no IPv6 address, but the target is [2001:db8:2::100]:80"),
        Mistake(
            "ip6.src: lb/web.address", "ip6.src: 192.0.2.1",
            "lab.yaml:33:23: ip6.src takes an IPv6 address (2001:db8::1) or network (2001:db8::/64), not '192.0.2.1'"),
    ])
    func `says what is wrong with it, and where`(mistake: Mistake) {
        #expect(messages(replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test func `is refused to boxes that carry IPv4 alone`() {
        let given = replacing(
            "pc: { role: client, interfaces: { old: }",
            "pc: { role: firewall, interfaces: { old: , outside: 2001:db8:1::7 }"
        )
        .replacing("outside: 2001:db8:1::/64", with: "outside: { subnet: 2001:db8:1::/64, switch: on }")
        #expect(
            messages(given).contains {
                $0.contains("pc.outside has the IPv6 address 2001:db8:1::7, but a firewall carries IPv4 alone")
            })
        let automatic = replacing(
            "pc: { role: client, interfaces: { old: }", "pc: { role: firewall, interfaces: { old: , outside: }"
        )
        .replacing("outside: 2001:db8:1::/64", with: "outside: { subnet: 2001:db8:1::/64, switch: on }")
        #expect(
            messages(automatic).contains {
                $0.contains(
                    "pc.outside is on network 'outside', which has no IPv4 subnet, but a firewall carries IPv4 alone")
            })
    }
}

extension String {
    fileprivate func replacing(_ old: String, with new: String) -> String {
        let parts = split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        precondition(parts.count == 2, "the lab has no '\(old)'")
        return parts[0] + new + parts[1]
    }
}

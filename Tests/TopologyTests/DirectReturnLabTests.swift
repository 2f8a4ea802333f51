import Configuration
import Dataplane
import LabFile
import Testing
import Wire

@testable import Topology

@Suite struct `Direct server return in a lab file` {
    private static let text = """
        schema: 1
        name: direct
        networks: { outside: 192.0.2.0/24, servers: 10.0.0.0/24, far: 10.1.0.0/24 }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: router.outside }
          router: { role: router, interfaces: { outside: 192.0.2.1, servers: 10.0.0.1, far: 10.1.0.1 } }
          lb:
            role: load-balancer
            interfaces: { servers: 10.0.0.5 }
            gateway: router.servers
            pools: { shared: [b2:7] }
            virtual-services:
              echo: { listen: 10.0.0.100:7, profile: tcp-fast-path, dsr: ipip, pool: [b1:7] }
              other: { listen: 10.0.0.101:7, profile: tcp-fast-path, pool: shared }
          b1: { role: backend, interfaces: { far: 10.1.0.11 }, gateway: router.far, loopback: [lb/echo.address], tunnel: ipip }
          b2: { role: backend, interfaces: { servers: 10.0.0.12 }, gateway: router.servers }
        traffic:
          app: { from: client, to: lb/echo, kind: tcp-stream }
        scenario:
          - start: app
        """

    private func messages(_ old: String, _ new: String) -> [String] {
        #expect(Self.text.contains(old), "the lab has no '\(old)'")
        do {
            _ = try Lab(parsing: Self.text.replacingFirst(old, new), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    private func lab(_ old: String = "schema: 1", _ new: String = "schema: 1") throws -> Variant {
        try Lab(parsing: Self.text.replacingFirst(old, new), path: "lab.yaml").variants[0]
    }

    @Test
    func `gives the balancer its mode and consistent hash, and the member its loopback and the end of its tunnel`()
        throws
    {
        let variant = try lab()
        guard let balancer = variant.node(named: "lb")?.role.loadBalancer else {
            Issue.record("there is no balancer")
            return
        }
        let service = balancer.services[0]
        #expect(service.directReturn == DirectReturnConfiguration(mode: .ipip))
        #expect(service.scheduler == .consistentHash)
        #expect(service.sourceTranslation == .off)
        let member = try #require(variant.node(named: "b1"))
        #expect(member.loopback == [.ipv4(IPv4Address(10, 0, 0, 100))])
        #expect(member.tunnel?.endpoint.remotes == [.ipv4(IPv4Address(10, 0, 0, 5))])
        #expect(member.tunnel?.endpoint.destinations == [.ipv4(IPv4Address(10, 0, 0, 100))])
        #expect(member.hasWireSide && !member.isBox)
        let steps = Plan(for: variant).steps.map(\.description)
        #expect(steps.contains("b1: address 10.0.0.100/32 on lo (the lab file wants it on the loopback)"))
        #expect(
            steps.contains("b1: link b1/tunnel – b1:wire/tunnel (the kernel sees by it what came out of the tunnel)"))
        #expect(steps.contains("b1:wire: tunnel up (the dataplane reads and writes its frames)"))
        #expect(variant.capture.interfaces.map(\.description).contains("b1.tunnel"))
    }

    private static let ipv6 = [
        (
            "outside: 192.0.2.0/24, servers: 10.0.0.0/24, far: 10.1.0.0/24",
            "outside: \"2001:db8:1::/64\", servers: \"2001:db8:2::/64\", far: \"2001:db8:3::/64\""
        ),
        ("outside: 192.0.2.10", "outside: \"2001:db8:1::10\""),
        (
            "outside: 192.0.2.1, servers: 10.0.0.1, far: 10.1.0.1",
            "outside: \"2001:db8:1::1\", servers: \"2001:db8:2::1\", far: \"2001:db8:3::1\""
        ),
        ("servers: 10.0.0.5", "servers: \"2001:db8:2::5\""),
        (
            "listen: 10.0.0.100:7, profile: tcp-fast-path, dsr: ipip",
            "listen: \"[2001:db8:2::100]:7\", profile: tcp-fast-path, dsr: ip6ip6"
        ),
        ("listen: 10.0.0.101:7", "listen: \"[2001:db8:2::101]:7\""),
        ("far: 10.1.0.11", "far: \"2001:db8:3::11\""), ("tunnel: ipip", "tunnel: ip6ip6"),
        ("servers: 10.0.0.12", "servers: \"2001:db8:2::12\""),
    ].reduce(text) { $0.replacingFirst($1.0, $1.1) }

    @Test func `wraps IPv6 in IPv6, and the member's kernel speaks IPv6 on its tunnel`() throws {
        let variant = try Lab(parsing: Self.ipv6, path: "lab.yaml").variants[0]
        let member = try #require(variant.node(named: "b1")?.tunnel)
        #expect(member.endpoint.encapsulation == .ip6ip6 && member.local == IPAddress("2001:db8:3::11"))
        #expect(member.endpoint.remotes == [IPAddress("2001:db8:2::5")!])
        #expect(member.endpoint.destinations == [IPAddress("2001:db8:2::100")!])
        let steps = Plan(for: variant).steps.map(\.description)
        #expect(steps.contains { $0.hasPrefix("b1: ") && $0.contains("net/ipv6/conf/tunnel/disable_ipv6") }, "\(steps)")

        let kernels = Self.ipv6.replacingFirst(
            "tunnel: ip6ip6", "tunnel: { mode: ip6ip6, end: kernel, address: lb/echo.address }")
        let plan = Plan(for: try Lab(parsing: kernels, path: "lab.yaml").variants[0]).steps.map(\.description)
        #expect(plan.contains("b1: ip6tnl tunnel tunnel at 2001:db8:3::11 (the lab file wants the kernel's own)"))
        #expect(plan.contains("b1: address 2001:db8:2::100/128 on tunnel (the tunnel's own address)"))
        #expect(try Lab(parsing: variant.resolvedYAML, path: "lab.yaml").variants[0].nodes == variant.nodes)
    }

    @Test func `refuses a tunnel of the other family, or an address of it`() {
        #expect(
            messages("dsr: ipip", "dsr: ip6ip6").contains(
                "13:66: 'echo' has 'dsr: ip6ip6', which does not carry IPv4, and the address 10.0.0.100; allowed: l2, ipip, gre"
            ))
        #expect(
            messages("tunnel: ipip", "tunnel: ip6ip6") == [
                "15:114: 'b1' has no IPv6 address, at which a tunnel of ip6ip6 could end"
            ])
        #expect(
            messages("tunnel: ipip", "tunnel: { mode: ipip, address: \"2001:db8::1\" }") == [
                "15:137: the address of the tunnel of 'b1' is 2001:db8::1, but the tunnel is of IPv4; allowed: an IPv4 address"
            ])
    }

    @Test func `may ask for the kernel's own tunnel`() throws {
        let variant = try lab("tunnel: ipip", "tunnel: { mode: ipip, end: kernel }")
        let member = try #require(variant.node(named: "b1"))
        #expect(!member.hasWireSide)
        #expect(
            Plan(for: variant).steps.map(\.description).contains(
                "b1: ipip tunnel tunnel at 10.1.0.11 (the lab file wants the kernel's own)"))
    }

    @Test func `may have the same address on several balancers, and equal paths to them`() throws {
        let text = Self.text.replacingFirst(
            "          b1: {".trimmedLeft,
            """
            lb-b:
                role: load-balancer
                interfaces: { servers: 10.0.0.6 }
                gateway: router.servers
                virtual-services:
                  echo: { listen: 10.0.0.100:7, profile: tcp-fast-path, dsr: ipip, pool: [b1:7] }
              b1: {
            """
        ).replacingFirst(
            "far: 10.1.0.1 } }", "far: 10.1.0.1 }, routes: { 203.0.113.80/32: [lb.servers, lb-b.servers] } }")
        let variant = try Lab(parsing: text, path: "lab.yaml").variants[0]
        #expect(
            variant.node(named: "b1")?.tunnel?.endpoint.remotes
                == [.ipv4(IPv4Address(10, 0, 0, 5)), .ipv4(IPv4Address(10, 0, 0, 6))])
        #expect(
            Plan(for: variant).steps.map(\.description)
                .contains("router: route 203.0.113.80/32 via 10.0.0.5 and 10.0.0.6 (a route of the lab file)"))
    }

    @Test func `is refused with what the product does not support, each with its reason`() {
        #expect(
            messages("dsr: ipip", "dsr: ipip, scheduler: round-robin") == [
                "13:83: 'echo' has 'dsr' and the scheduler 'round-robin': direct server return supports consistent hash only, so that every balancer sends a client to the same member; allowed: consistent-hash"
            ])
        #expect(
            messages("dsr: ipip", "dsr: ipip, application-profile: system-dns") == [
                "13:93: 'application-profile' is system-dns, which direct server return does not support: a balancer that answers DNS itself has nothing to return directly; allowed: system-l4"
            ])
        #expect(
            messages("pool: [b1:7]", "pool: shared").contains {
                $0.hasPrefix(
                    "13:78: virtual service 'echo' has 'dsr', but shares pool 'shared' with 'other': direct server return does not support pool sharing"
                )
            })
        #expect(messages("dsr: ipip", "dsr: { mode: ipip, any-scheduler: on }, scheduler: round-robin") == [])
        #expect(messages("pool: [b1:7]", "application-profile: system-l4, pool: [b1:7]") == [])
    }

    @Test func `is refused where it cannot work`() {
        #expect(
            messages("dsr: ipip", "dsr: l3") == [
                "13:66: 'dsr' is 'l3'; allowed: l2, ipip, gre, ip6ip6; did you mean 'l2'?"
            ])
        #expect(
            messages("dsr: ipip", "dsr: l2").contains(
                "13:77: b1 (10.1.0.11) is on no network of 'lb': 'dsr: l2' reaches members by their MAC address; allowed: a member on a network of 'lb', 'dsr: ipip', 'dsr: gre' or, for IPv6, 'dsr: ip6ip6'"
            ))
        #expect(
            messages("pool: [b1:7]", "pool: [b1:8080]") == [
                "13:79: a pool member has port 8080, but 'echo' listens on 7: direct server return translates nothing; allowed: b1:7"
            ])
        #expect(
            messages("profile: tcp-fast-path, dsr", "profile: tcp-proxy, dsr") == [
                "13:46: 'echo' has 'dsr', but profile 'tcp-proxy' ends connections at the balancer, so answers return through it; allowed: tcp-fast-path, udp-fast-path, udp-per-packet"
            ])
        #expect(
            messages("dsr: ipip", "dsr: ipip, snat: auto-map") == [
                "13:78: 'echo' has 'dsr' and 'snat: auto-map': the member answers the client itself, so it must see the client's address; allowed: off"
            ])
        #expect(
            messages("tunnel: ipip", "tunnel: gre") == [
                "15:114: the tunnel of 'b1' is gre, but 'lb/echo' has 'dsr: ipip'; allowed: ipip"
            ])
        #expect(
            messages("b2: { role: backend,", "b2: { role: backend, tunnel: ipip,") == [
                "16:32: 'b2' has a tunnel, but is in no pool of a service with 'dsr'; allowed: a member of such a pool"
            ])
        let unknown = messages("loopback: [lb/echo.address]", "loopback: [lb/ecco.address]").first ?? ""
        #expect(unknown.hasPrefix("15:88: 'lb/ecco.address' refers to nothing"))
        #expect(unknown.hasSuffix("did you mean 'lb/echo.address'?"))
    }

    @Test func `changes a weight by name, within limits`() throws {
        let change = "scenario:\n  - fail: { weight: lb/echo/b1=3 }"
        #expect(
            try lab("scenario:", change).scenario.first
                == .fail(.weight(node: "lb", service: "echo", member: "b1", weight: 3), as: "weight"))
        #expect(
            messages("scenario:", "scenario:\n  - fail: { weight: lb/echo/b2=3 }") == [
                "20:21: weight is 'lb/echo/b2=3'; allowed: lb/echo/b1=1 to 100, lb/other/b2=1 to 100; did you mean 'lb/echo/b1'?"
            ])
    }
}

extension String {
    fileprivate func replacingFirst(_ old: String, _ new: String) -> String {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(old) {
                return String(self[..<start]) + new + String(self[index(start, offsetBy: old.count)...])
            }
            start = index(after: start)
        }
        return self
    }

    fileprivate var trimmedLeft: String { String(drop { $0 == " " }) }
}

import Configuration
import LabFile
import Testing
import Wire

@testable import Topology

/// The short forms of FRR and dnsmasq, by the files that they make.
@Suite struct `FRR and dnsmasq` {
    private func lab(_ program: String) -> String {
        """
        schema: 1
        name: daemons
        networks: { core: 10.0.0.0/24 }
        nodes:
          r1:
            role: router
            interfaces: { core: 10.0.0.1 }
            programs:
              \(program)
          r2: { role: router, interfaces: { core: 10.0.0.2 } }
        """
    }

    private func program(_ text: String) throws -> ProgramConfiguration {
        let variant = try #require(try Lab(parsing: lab(text), path: "lab.yaml").variants.first)
        return try #require(variant.node(named: "r1")?.programs.first)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    /// Those that it awaits, each with its number of next hops.
    private func routes(_ program: ProgramConfiguration) -> [String] {
        program.readiness.compactMap {
            if case .route(let network, let count) = $0 { "\(network) \(count)" } else { nil }
        }
    }

    private func file(_ name: String, of program: ProgramConfiguration) throws -> String {
        try #require(program.files.first { $0.name == name }?.text)
    }

    @Test func `FRR has a short form with neighbours and announcements in the lab's words`() throws {
        let program = try program(
            """
            frr: { as: 65001, neighbors: { r2.core: { as: 65002, prefer: 200 }, r2.core.ip: 65001 },
                          announce: 10.9.0.0/24, await: { 10.8.0.0/16: 2 }, hold-time: 3s, detect: 150ms }
            """)
        let text = try file("frr.conf", of: program)
        for line in [
            "router bgp 65001", " bgp router-id 10.0.0.1", "  network 10.9.0.0/24", " bgp log-neighbor-changes",
            " neighbor 10.0.0.2 remote-as 65002", " neighbor 10.0.0.2 timers 1 3", " neighbor 10.0.0.2 bfd 3 50 50",
            "  neighbor 10.0.0.2 route-map prefer-200 in", "route-map prefer-200 permit 10",
            // One of the same AS.
            "  neighbor 10.0.0.2 next-hop-self", "  neighbor 10.0.0.2 filter-list learned out",
        ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)\n\(text)") }
        #expect(program.package == "frr" && program.keepsUser)
        #expect(program.executables == ["zebra", "staticd", "bgpd", "bfdd"].map { "/usr/lib/frr/\($0)" })
        #expect(routes(program) == ["10.8.0.0/16 2"])
        #expect(
            program.readiness.contains(.output(pattern: "peer:10\\.0\\.0\\.2 local:10\\.0\\.0\\.1 .*\\] \\S+ -> up")))
        #expect(try file("start", of: program).contains("for daemon in zebra staticd bgpd bfdd; do"))
    }

    @Test func `a whole frr.conf has references replaced, and the daemons that its lines need`() throws {
        let own = try program(
            "frr: { config: \"router ospf\\n network $r2.core.ip/32 area 0\\ninterface core\\n vrrp 5\\n\", await: 10.8.0.0/16 }"
        )
        #expect(try file("frr.conf", of: own).contains(" network 10.0.0.2/32 area 0\n"))
        #expect(own.executables == ["zebra", "staticd", "vrrpd", "ospfd"].map { "/usr/lib/frr/\($0)" })
        #expect(routes(own) == ["10.8.0.0/16 1"])
    }

    @Test func `FRR's events have the neighbour's address, as its daemons log them`() throws {
        let events = try program("frr: { as: 1, neighbors: { r2.core: 2 } }").events
        for (line, name, groups) in [
            (
                "2026/12/01 03:46:28 BGP: [N9HHH-F8H1M] %ADJCHANGE: neighbor 10.0.0.2(Unknown) in vrf default Up",
                "established", ["neighbor": "10.0.0.2"]
            ),
            (
                "2026/12/01 03:46:31 BGP: [PXVXG-TFNNT] %ADJCHANGE: neighbor 10.0.0.2(Unknown) in vrf default Down BGP Notification send",
                "lost", ["neighbor": "10.0.0.2", "reason": "BGP Notification send"]
            ),
            (
                "2026/12/01 03:46:29 BFD: [J1C6V-VMRW5] state-change: [mhop:no peer:10.0.0.2 local:10.0.0.1 vrf:default ifname:e0] init -> up",
                "bfd-up", ["neighbor": "10.0.0.2"]
            ),
            (
                "2026/12/01 03:46:31 BFD: [SEY1D-NT8EQ] state-change: [mhop:no peer:10.0.0.2 local:10.0.0.1 vrf:default ifname:e0] up -> down reason:control-expired",
                "bfd-down", ["neighbor": "10.0.0.2", "reason": "control-expired"]
            ),
        ] {
            var found: [String: [String: String]] = [:]
            for event in events {
                guard let match = try Regex(event.pattern).firstMatch(in: line) else { continue }
                found[event.name] = match.output.reduce(into: [:]) { groups, element in
                    if let group = element.name, let text = element.substring { groups[group] = String(text) }
                }
            }
            #expect(found == [name: groups], "\(line)")
        }
    }

    @Test func `dnsmasq answers by its records alone, and asks its upstream`() throws {
        let program = try program(
            "dnsmasq: { records: { www.example.test: [r2.core, 2001:db8::1] }, upstream: r2.core, listen: 5353 }")
        let text = try file("dnsmasq.conf", of: program)
        for line in ["port=5353", "no-resolv", "no-hosts", "addn-hosts=$folder/hosts", "server=10.0.0.2"] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)\n\(text)")
        }
        #expect(try file("hosts", of: program) == "10.0.0.2 www.example.test\n2001:db8::1 www.example.test\n")
        #expect(program.readiness == [.udp(5353), .tcp(5353)] && program.package == "dnsmasq-base")
        let own = try self.program("dnsmasq: { config: \"address=/test/$r2.core.ip\\n\" }")
        #expect(try file("dnsmasq.conf", of: own) == "address=/test/10.0.0.2\n")
        #expect(own.readiness == [.udp(53), .tcp(53)])
    }

    @Test(arguments: [
        ("frr: { neighbors: { r2.core: 1 } }", "the program 'frr' needs the key 'as'"),
        ("frr: { as: 1, neighbors: { r2.edge: 1 } }", "a neighbor of FRR of 'r1' is 'r2.edge'"),
        ("frr: { as: 1, config: text }", "'config' is the whole frr.conf, 'as' included"),
        ("frr: { config: frr.conf }", "'config' is the one word 'frr.conf', which is the name of a file"),
        ("dnsmasq: { listen: 53 }", "the program 'dnsmasq' knows no name; allowed: 'records', 'upstream', 'config'"),
        ("dnsmasq: { records: { a..b: 10.0.0.1 } }", "'a..b' is no name of a DNS record"),
        ("dnsmasq: { records: { a: here } }", "the address of record 'a' is 'here'"),
        (
            "dnsmasq: { records: { a: 10.0.0.1 }, config: text }",
            "'config' is the whole dnsmasq.conf, 'records' included"
        ),
    ])
    func `what is wrong is reported`(_ program: String, _ message: String) {
        let found = messages(lab(program))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }
}

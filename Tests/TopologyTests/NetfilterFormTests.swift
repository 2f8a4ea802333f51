import Configuration
import LabFile
import Testing

@testable import Topology

/// The short forms of nftables and conntrackd, and counters of any program.
@Suite struct `nftables, conntrackd and counters of programs` {
    private func lab(_ programs: String, _ more: String = "") -> String {
        """
        schema: 1
        name: netfilter
        networks: { lan: { subnet: 192.0.2.0/24, virtual-addresses: { gateway: 192.0.2.1 } }, sync: ["10.9.0.0/24", "2001:db8:9::/64"] }
        nodes:
          client: { role: client, interfaces: { lan: 192.0.2.10 }, gateway: lan/gateway.address }
          r1:
            role: router
            interfaces: { lan: 192.0.2.2, sync: ["10.9.0.1", "2001:db8:9::1"] }
            programs:
              \(programs)
          r2: { role: router, interfaces: { lan: 192.0.2.3, sync: ["10.9.0.2", "2001:db8:9::2"] } }
        \(more)
        """
    }

    private func program(_ text: String) throws -> ProgramConfiguration {
        let variant = try #require(try Lab(parsing: lab(text), path: "lab.yaml").variants.first)
        return try #require(variant.node(named: "r1")?.programs.first)
    }

    @Test func `a node with a rule set tracks no connection after a power-on, and any other keeps what its kernel has`()
        throws
    {
        let variant = try #require(
            try Lab(parsing: lab("nftables: { rules: \"table ip x { }\" }"), path: "lab.yaml").variants.first)
        let clears = NodeAction.network(.clearConntrack, node: "r1")
        for (name, first) in [("r1", clears), ("r2", .setLinks(node: "r2", isUp: true))] {
            let node = try #require(variant.node(named: name))
            #expect(PowerOnFault(node: name).actions(on: node).first == first)
        }
    }

    private func messages(_ text: String, _ more: String = "") -> [String] {
        do {
            _ = try Lab(parsing: lab(text, more), path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `a rule set is loaded once, with its references replaced, and its counters can be read`() throws {
        let program = try program("nftables: { rules: \"define a = ${lan/gateway.address}; $folder $other\" }")
        #expect(program.files.first?.text == "define a = 192.0.2.1; $folder $other")
        // A second time it takes the place of the first.
        #expect(program.files.last?.text.hasPrefix("flush ruleset\ninclude ") == true)
        #expect(program.command == ["nft", "-f", "$folder/load.nft"] && program.package == "nftables")
        #expect(program.endsByItself && program.readiness.isEmpty)
        #expect(program.counters.map(\.command) == [["nft", "list", "counters"]])
    }

    @Test func `conntrackd has its file, which the node's other programs see, and keepalived's action`() throws {
        let program = try program("conntrackd: { peer: r2.sync, ignore: lan/gateway.address }")
        #expect(program.files.map(\.name) == ["conntrackd.conf", "notify.sh"])
        #expect(program.files.filter(\.isShared) == program.files)
        #expect(program.readiness == [.socket(path: "/run/conntrackd/ctl")] && program.package == "conntrackd")
        #expect(
            program.files.first?.text == """
                # Made from the lab file's short form.
                Sync {
                    Mode FTFW {
                        StartupResync yes
                        DisableExternalCache no
                    }
                    UDP {
                        IPv4_address 10.9.0.1
                        IPv4_Destination_Address 10.9.0.2
                        Port 3780
                        Interface sync
                        Checksum on
                    }
                    Options {
                        TCPWindowTracking no
                    }
                }
                General {
                    HashSize 8192
                    HashLimit 131072
                    LogFile no
                    Syslog no
                    LockFile /run/conntrackd/lock
                    UNIX {
                        Path /run/conntrackd/ctl
                    }
                    Filter From Userspace {
                        Protocol Accept {
                            TCP
                            UDP
                            ICMP
                        }
                        Address Ignore {
                            IPv4_address 127.0.0.1
                            IPv6_address ::1
                            IPv4_address 192.0.2.2
                            IPv4_address 10.9.0.1
                            IPv6_address 2001:db8:9::1
                            IPv4_address 192.0.2.1
                        }
                    }
                }

                """)
    }

    @Test func `conntrackd replicates by multicast, over IPv6, and without its caches`() throws {
        func text(_ form: String) throws -> String {
            try #require(try program("conntrackd: \(form)").files.first?.text)
        }
        let multicast = try text("{ interface: sync, port: 3781, mode: notrack, external-cache: off, resync: off }")
        for line in [
            "Mode NOTRACK {", "IPv4_address 225.0.0.50", "Group 3781", "IPv4_interface 10.9.0.1", "Interface sync",
            "DisableExternalCache yes", "DisableInternalCache no", "StartupResync no",
        ] { #expect(multicast.contains("\(line)\n"), "\(line) in \(multicast)") }
        let six = try text("{ peer: '2001:db8:9::2', protocols: [tcp, icmpv6] }")
        for line in [
            "IPv6_address 2001:db8:9::1", "IPv6_Destination_Address 2001:db8:9::2", "TCP\n", "IPv6-ICMP\n",
        ] { #expect(six.contains(line), "\(line) in \(six)") }
        let whole = try program("conntrackd: { config: 'General { UNIX { Path /run/x } }' }")
        #expect(whole.readiness == [.socket(path: "/run/x")])
    }

    @Test func `keepalived's notify knows conntrackd`() throws {
        let keepalived =
            "keepalived: { instances: { lan: { router-id: 1, addresses: 192.0.2.1, notify: conntrackd } } }"
        let text = "\(keepalived)\n      conntrackd: { peer: r2.sync }"
        let file = try #require(try program(text).files.first?.text)
        #expect(file.contains("notify \"/bin/sh /run/conntrackd/notify.sh\""))
        #expect(messages(keepalived).first?.contains("'notify' is conntrackd, which is no program of 'r1'") == true)
    }

    @Test func `a program's own counters take the place of its form's, with references replaced`() throws {
        let text = "{ run: [nft, list, $r1.lan.ip], pattern: '(?<name>a): (?<value>b)' }"
        let program = try program("nftables: { rules: x y, counters: \(text) }")
        #expect(program.counters == [.init(["nft", "list", "192.0.2.2"], pattern: "(?<name>a): (?<value>b)")])
        #expect(program.counterNames == [nil])
        let two = try self.program(
            "any: { run: [sleep, inf], counters: [{ run: [conntrack, -C], pattern: '(?<sessions>x)' }, { run: [a] }] }")
        #expect(two.counterNames == ["sessions", nil])
    }

    @Test(arguments: [
        ("nftables: {}", "the program 'nftables' needs the key 'rules'"),
        ("nftables: { rules: rules.nft }", "'rules' is the one word 'rules.nft', which is the name of a file"),
        ("nftables: { rules: a b, rule: c }", "unknown key 'rule' of the program 'nftables'"),
        ("conntrackd: {}", "does not know whom to replicate to; allowed: 'peer'"),
        ("conntrackd: { peer: r2.snc }", "the peer of conntrackd of 'r1' is 'r2.snc'"),
        ("conntrackd: { peer: 192.0.2.3, interface: sync }", "is 192.0.2.3, which is on no network of 'sync'"),
        ("conntrackd: { interface: wan }", "conntrackd is to use 'wan', which 'r1' does not have; allowed: lan, sync"),
        ("conntrackd: { interface: sync, mode: alarm }", "is 'alarm'; allowed: ftfw, notrack"),
        ("conntrackd: { interface: sync, protocols: [tcq] }", "a protocol of 'conntrackd' is 'tcq'; allowed: tcp, udp"),
        ("conntrackd: { config: a b, peer: r2.sync }", "'config' is the whole conntrackd.conf, 'peer' included"),
        ("a: { run: [b], counters: { pattern: x } }", "'counters' of 'a' needs the key 'run'"),
        ("a: { run: [b], counters: { run: nft list } }", "'run' of 'counters' of 'a' is 'nft list'; allowed: a list"),
        ("a: { run: [b], counters: { run: [nft], pattern: '(' } }", "which is no regular expression"),
        ("a: { run: [b], counters: { run: [nft], pattern: '(?<name>x)' } }", "has no group for a number"),
        ("a: { run: [b], events: { counters-unread: x } }", "every program has the event 'counters-unread'"),
    ])
    func `what is wrong is reported with its place`(_ program: String, _ message: String) {
        let found = messages(program)
        #expect(found.contains { $0.hasPrefix("10:") && $0.contains(message) }, "\(found)")
    }

    @Test(
        arguments: [
            ("of: r1/nftables, name: refused.packets", nil),
            ("of: r1/nftables, name: a:b_c.packets, minus: refused.bytes", nil),
            ("of: r1, name: nftables/refused.packets", nil), ("of: r1/table, name: sessions", nil),
            ("of: r1/table, name: session", "r1 has no counter 'table/session'; allowed: table/sessions; did you mean"),
            (
                "of: r1/nftable, name: a",
                "'of' is 'r1/nftable', which is no node and no program of one; allowed: client, r1,"
            ),
            ("of: r1/quiet, name: a", "the program r1/quiet has no counters; allowed: 'counters' of the program"),
            ("of: client, name: nftables/a", "client has no counter 'nftables/a'"),
        ] as [(String, String?)])
    func `a counter is of a program that has counters`(_ counter: String, _ message: String?) {
        let programs = """
            nftables: { rules: x y }
                  table: { run: [a], counters: { run: [conntrack, -C], pattern: '(?<sessions>x)' } }
                  quiet: { run: [b] }
            """
        let found = messages(programs, "scenario: [{ wait-for: { counter: { \(counter), is: '> 0' } } }]")
        #expect(message.map { text in found.contains { $0.contains(text) } } ?? found.isEmpty, "\(found)")
    }

    @Test func `what ends by itself cannot be killed`() {
        let found = messages("nftables: { rules: x y }", "scenario: [{ fail: { kill: r1/nftables } }]")
        #expect(found.contains { $0.contains("'r1/nftables' ends by itself when it has done its work") }, "\(found)")
    }
}

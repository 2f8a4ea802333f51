import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

/// The short forms of keepalived and HAProxy, by the files that they make.
@Suite struct `keepalived and HAProxy` {
    private func lab(_ r1: String, _ r2: String? = nil, addresses: String = "192.0.2.0/24") -> String {
        """
        schema: 1
        name: daemons
        networks: { lan: { subnet: [\(addresses)], virtual-addresses: { gateway: 192.0.2.1 } }, wan: 198.51.100.0/24 }
        nodes:
          client: { role: client, interfaces: { lan: 192.0.2.10 }, gateway: lan/gateway.address }
          r1:
            role: router
            interfaces: { lan: 192.0.2.2, wan: 198.51.100.2 }
            programs:
              \(r1)
          r2:
            role: router
            interfaces: { lan: 192.0.2.3, wan: 198.51.100.3 }
            programs:
              \(r2 ?? "daemon: { run: [sleep, inf] }")
          server: { role: backend, interfaces: { wan: 198.51.100.10 }, gateway: r1.wan }
        """
    }

    private func program(_ r1: String, _ r2: String? = nil) throws -> ProgramConfiguration {
        let variant = try #require(try Lab(parsing: lab(r1, r2), path: "lab.yaml").variants.first)
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

    @Test func `keepalived has its file, its package, its ready condition and its events`() throws {
        let own = "{ router-id: 51, priority: 150, interval: 100ms, addresses: lan/gateway.address }"
        let other = "{ router-id: 51, addresses: lan/gateway.address }"
        let program = try program(
            "keepalived: { instances: { lan: \(own) } }", "keepalived: { instances: { lan: \(other) } }")
        #expect(
            program.files == [
                .init(
                    name: "keepalived.conf",
                    text: """
                        # Made from the lab file's short form.
                        global_defs {
                            router_id r1
                            script_user root
                        }
                        vrrp_instance lan {
                            state BACKUP
                            interface lan
                            virtual_router_id 51
                            priority 150
                            version 3
                            advert_int 0.10
                            virtual_ipaddress {
                                192.0.2.1 dev lan
                            }
                        }

                        """)
            ])
        #expect(program.package == "keepalived" && program.command.first == "keepalived")
        #expect(program.command.last == "--vrrp")
        // The higher priority becomes the master.
        #expect(program.readiness == [.output(pattern: "\\(lan\\) Entering MASTER STATE")])
        #expect(program.events.map(\.name) == ["master", "backup", "fault"])
        #expect(program.events.first?.pattern == "\\((?<instance>[^)]+)\\) Entering MASTER STATE")
        let variant = try #require(
            try Lab(
                parsing: lab(
                    "keepalived: { instances: { lan: \(own) } }", "keepalived: { instances: { lan: \(other) } }"),
                path: "lab.yaml"
            ).variants.first)
        let second = try #require(variant.node(named: "r2")?.programs.first)
        #expect(second.readiness == [.output(pattern: "\\(lan\\) Entering (MASTER|BACKUP|FAULT) STATE")])
    }

    /// Each side of a switch is a network of its own, with another name.
    @Test func `the master is awaited of the right router behind a switch, too`() throws {
        let text = """
            schema: 1
            name: switched
            networks: { left: 192.0.2.0/24, right: }
            nodes:
              sw: { role: switch, interfaces: { left: , right: } }
              client: { role: client, interfaces: { left: 192.0.2.10 } }
              r1:
                role: router
                interfaces: { left: 192.0.2.2 }
                programs: { keepalived: { instances: { left: { router-id: 51, priority: 150, addresses: 192.0.2.1 } } } }
              r2:
                role: router
                interfaces: { right: 192.0.2.3 }
                programs: { keepalived: { instances: { right: { router-id: 51, addresses: 192.0.2.1 } } } }
            """
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        let readiness = ["r1", "r2"].map { variant.node(named: $0)?.programs.first?.readiness }
        #expect(
            readiness == [
                [.output(pattern: "\\(left\\) Entering MASTER STATE")],
                [.output(pattern: "\\(right\\) Entering (MASTER|BACKUP|FAULT) STATE")],
            ])
    }

    @Test func `every setting of an instance has its line`() throws {
        let text = try #require(
            try program(
                """
                keepalived:
                        instances:
                          one: { interface: lan, router-id: 7, addresses: [192.0.2.77, lan/gateway.address], version: 2, interval: 2s,
                                 preempt: off, peers: [r2.lan], track: [wan], virtual-mac: on, check: { run: /bin/true x, every: 2s, fall: 3, rise: 4 }, notify: "/bin/sh $folder/n $r2.lan.ip",
                                 announcements: { delay: 1s, repeat: 2, refresh: 3s, refresh-repeat: 4, lower-priority-delay: 6s, lower-priority-repeat: 0 } }
                          two: { interface: wan, router-id: 8, addresses: 198.51.100.1, preempt-delay: 5s }
                        sync: [one, two]
                        await: { one: backup, two: any }
                """
            ).files.first?.text)
        for lines in [
            "vrrp_sync_group all {\n    group {\n        one\n        two\n    }\n}", "    nopreempt\n",
            "    preempt_delay 5\n",
            "    version 2\n    advert_int 2\n", "    use_vmac\n",
            "vrrp_script one {\n    script \"/bin/true x\"\n    interval 2\n    timeout 2\n    fall 3\n    rise 4\n}\n",
            "    track_script {\n        one\n    }\n",
            "    garp_master_delay 1\n    garp_master_repeat 2\n",
            "    garp_master_refresh 3\n    garp_master_refresh_repeat 4\n",
            "    garp_lower_prio_delay 6\n    garp_lower_prio_repeat 0\n", "    unicast_src_ip 192.0.2.2\n",
            "    unicast_peer {\n        192.0.2.3\n    }\n", "    track_interface {\n        wan\n    }\n",
            "        192.0.2.77 dev lan\n        192.0.2.1 dev lan\n", "    notify \"/bin/sh $folder/n 192.0.2.3\"\n",
        ] {
            let indented = lines.split(separator: "\n").map { String($0.drop { $0 == " " }) }
            let flat = text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
            #expect(flat.contains(indented), "\(lines)\n\(text)")
        }
    }

    @Test func `an address of an instance is known to be somebody's without any other word`() throws {
        let text = lab("keepalived: { instances: { lan: { router-id: 1, addresses: 192.0.2.99 } } }")
            .replacing("gateway: lan/gateway.address", with: "gateway: 192.0.2.99")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        #expect(variant.node(named: "client")?.routes.first?.gateway == IPAddress("192.0.2.99")!)
    }

    @Test func `a whole configuration has references replaced, and awaits what it is told`() throws {
        let text = "vrrp_instance x {\\n virtual_ipaddress { ${lan/gateway.address} }\\n}\\n"
        let plain = try program("keepalived: { config: \"\(text)\" }")
        #expect(plain.files.first?.text.contains("{ 192.0.2.1 }") == true)
        #expect(plain.readiness == [.output(pattern: "\\([^)]+\\) Entering (MASTER|BACKUP|FAULT) STATE")])
        let awaiting = try program("keepalived: { config: \"\(text)\", await: { x: master } }")
        #expect(awaiting.readiness == [.output(pattern: "\\(x\\) Entering MASTER STATE")])
        // The checker process is needed for virtual servers.
        #expect(try program("keepalived: { config: \"virtual_server 1.2.3.4 80 { }\" }").command.last != "--vrrp")
    }

    @Test func `HAProxy has its file, its package, its ports and its events`() throws {
        let program = try program(
            """
            haproxy:
                    frontends: { web: { listen: 80 }, raw: { listen: 81, mode: tcp, backend: other } }
                    backends:
                      web: { servers: ["server:8080", "server:8081"], balance: leastconn, check: { every: 250ms, fall: 2, rise: 1, path: /up } }
                      other: { servers: ["server:7"], check: off }
            """)
        let text = try #require(program.files.first?.text)
        for line in [
            "frontend web\n    mode http\n    option httplog\n    bind :80\n    default_backend web\n",
            "frontend raw\n    mode tcp\n    option tcplog\n    bind :81\n    default_backend other\n",
            "backend web\n    mode http\n    balance leastconn\n    option httpchk GET /up\n    server server 198.51.100.10:8080 check inter 250ms fall 2 rise 1\n    server server-2 198.51.100.10:8081 check inter 250ms fall 2 rise 1\n",
            "backend other\n    mode tcp\n    balance roundrobin\n    server server 198.51.100.10:7\n",
        ] { #expect(text.contains(line), "\(text)") }
        #expect(!text.contains(":::"))
        #expect(program.readiness == [.tcp(80), .tcp(81)] && program.package == "haproxy")
        #expect(program.scratch == ["/var/lib/haproxy"])
        #expect(program.events.map(\.name) == ["server-down", "server-up", "backend-down"])
    }

    @Test func `what HAProxy asks of its servers is served`() throws {
        let text = lab(
            "haproxy: { frontends: { web: { listen: 80 } }, backends: { web: { servers: ['server:8080'] } } }")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        let server = try #require(variant.node(named: "server")?.role.host)
        #expect(server.servers == [ServerProgram(kind: .http, port: 8080)])
    }

    @Test func `a virtual router has one family`() {
        let found = messages(
            lab(
                "keepalived: { instances: { lan: { router-id: 1, addresses: [192.0.2.99, 'fe80::1'] } } }",
                addresses: "192.0.2.0/24, 2001:db8:1::/64"))
        #expect(found.contains { $0.hasPrefix("10:") && $0.contains("a virtual router has one family") }, "\(found)")
    }

    private static let instance = "router-id: 1, addresses: 192.0.2.99"

    @Test(arguments: [
        ("keepalived: {}", "10:", "the program 'keepalived' needs the key 'instances'"),
        (
            "keepalived: { instances: { lan: { addresses: 192.0.2.99 } } }", "10:",
            "the instance 'lan' needs the key 'router-id'"
        ),
        (
            "keepalived: { instances: { lan: { router-id: 0, addresses: 192.0.2.99 } } }", "10:",
            "'router-id' of the instance 'lan' is '0'"
        ),
        (
            "keepalived: { instances: { lann: { \(instance) } } }", "10:",
            "instance 'lann' is on 'lann', which 'r1' does not have"
        ),
        (
            "keepalived: { instances: { lan: { \(instance), interval: 15ms } } }", "10:",
            "'interval' is '15ms', which VRRP version 3 cannot carry"
        ),
        (
            "keepalived: { instances: { lan: { \(instance), version: 2, interval: 100ms } } }", "10:",
            "which VRRP version 2 cannot carry; allowed: whole seconds"
        ),
        (
            "keepalived: { instances: { lan: { router-id: 1, addresses: [192.0.2.99, 'fe80::1'] } } }", "10:",
            "is IPv6, but network 'lan' has no IPv6 subnet"
        ),
        (
            "keepalived: { instances: { lan: { \(instance), announcements: { delay: 100ms } } } }", "10:",
            "'delay' is '100ms'; allowed: whole seconds"
        ),
        (
            "keepalived: { instances: { lan: { \(instance), garp: {} } } }", "10:",
            "unknown key 'garp' of the instance 'lan'"
        ),
        (
            "keepalived: { instances: { lan: { \(instance) } }, sync: [lna] }", "10:",
            "'sync' names 'lna', which is no instance; allowed: lan; did you mean 'lan'?"
        ),
        (
            "keepalived: { instances: { lan: { \(instance) } }, await: { lan: leader } }", "10:",
            "what is awaited of 'lan' is 'leader'; allowed: master, backup, any"
        ),
        ("keepalived: { config: \"a\", sync: [a] }", "10:", "'config' is the whole keepalived.conf, 'sync' included"),
        (
            "keepalived: { config: keepalived.conf }", "10:",
            "'config' is the one word 'keepalived.conf', which is the name of a file; allowed: { from: keepalived.conf }"
        ),
        ("haproxy: { frontends: { web: { listen: 80 } } }", "10:", "the program 'haproxy' needs the key 'backends'"),
        (
            "haproxy: { frontends: { web: { listen: 80, backend: wbe } }, backends: { web: { servers: ['server:80'] } } }",
            "10:", "which is no backend; allowed: web; did you mean 'web'?"
        ),
        (
            "haproxy: { frontends: { web: { listen: 80 } }, backends: { web: { servers: [server] } } }", "10:",
            "a server of the backend 'web' is 'server'; allowed: node:port"
        ),
        (
            "haproxy: { frontends: { web: { listen: 80 } }, backends: { web: { servers: ['srv:80'] } } }", "10:",
            "there is no node 'srv'"
        ),
        (
            "haproxy: { frontends: { a: { listen: 80 }, b: { listen: 80 } }, backends: { web: { servers: ['server:80'] } } }",
            "10:", "the frontends 'a' and 'b' listen on port 80"
        ),
        (
            "haproxy: { listen: 80, frontends: { a: { listen: 80 } }, backends: { web: { servers: ['server:80'] } } }",
            "10:", "'listen' of the program 'haproxy' goes with 'config'"
        ),
    ])
    func `what is wrong is told with its place`(_ program: String, _ line: String, _ message: String) {
        let found = messages(lab(program))
        #expect(found.contains { $0.hasPrefix(line) && $0.contains(message) }, "\(found)")
    }
}

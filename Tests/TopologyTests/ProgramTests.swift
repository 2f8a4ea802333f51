import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

@Suite struct `Programs of nodes` {
    /// - Parameter services: of the node with the programs, which is the pool's member on port 8080 of TCP
    private func lab(_ programs: String, services: String? = "{ echo: 8080/tcp }") -> String {
        let services = services.map { "\n    services: \($0)" } ?? ""
        return SmallLab.replacing(
            "interfaces: { servers: }", "interfaces: { servers: }\(services)\n    programs:\n      " + programs)
    }

    private func program(_ text: String) throws -> ProgramConfiguration {
        let variant = try #require(try Lab(parsing: lab(text), path: "lab.yaml").variants.first)
        return try #require(variant.node(named: "backend-1")?.programs.first)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `any program has a command line, files and checks of its readiness`() throws {
        let cache = try program(
            """
            cache:
                    run: [varnishd, -F, -a, "$backend-1.servers.ip:80", -f, $folder/default.vcl]
                    files:
                      default.vcl: |
                        backend default { .host = "${lb/web.address}"; }
                        set req.http.x = $host.name + $1;
                    ready: { tcp: [80, 443], udp: 53, socket: /run/cache.sock }
                    package: varnish
                    scratch: /var/lib/varnish
            """)
        #expect(cache.command == ["varnishd", "-F", "-a", "169.254.1.2:80", "-f", "$folder/default.vcl"])
        #expect(
            cache.files == [
                .init(
                    name: "default.vcl",
                    text: "backend default { .host = \"198.51.100.100\"; }\nset req.http.x = $host.name + $1;\n")
            ])
        #expect(cache.readiness == [.tcp(80), .tcp(443), .udp(53), .socket(path: "/run/cache.sock")])
        #expect(cache.package == "varnish" && cache.scratch == ["/var/lib/varnish"])
    }

    @Test func `nginx has a short form, and the lab's own services keep off its port`() throws {
        let text = lab("nginx: { listen: 8080, upstreams: [backend-2, 'backend-2:81'] }", services: nil)
            .replacing(
                "  backend-1:\n", with: "  backend-2: { role: backend, interfaces: { servers: } }\n  backend-1:\n")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        let nginx = try #require(variant.node(named: "backend-1")?.programs.first)
        let address = try #require(variant.node(named: "backend-2")?.interfaces.first?.address?.address)
        #expect(nginx.files.first?.text.contains("server \(address):80;\n        server \(address):81;") == true)
        #expect(nginx.readiness == [.tcp(8080)] && nginx.package == "nginx-light")
        guard let proxy = variant.node(named: "backend-1")?.role.host,
            let member = variant.node(named: "backend-2")?.role.host
        else { throw CancellationError() }
        #expect(proxy.servers.isEmpty)
        #expect(member.servers == [ServerProgram(kind: .http, port: 80), ServerProgram(kind: .http, port: 81)])
    }

    @Test func `BIRD has a short form with neighbours and announcements in the lab's words`() throws {
        let bird = try program(
            "bird: { as: 65001, neighbors: { lb.servers: 65000 }, announce: [lb/web.address, 10.9.0.0/24], detect: 150ms, await: { 10.8.0.0/16: 2 } }"
        )
        let text = try #require(bird.files.first?.text)
        for line in [
            "router id 169.254.1.2;", "route 198.51.100.100/32 unreachable;", "route 10.9.0.0/24 unreachable;",
            "local 169.254.1.2 as 65001;", "neighbor 169.254.1.1 as 65000;", "bfd on;", "interval 50 ms; multiplier 3;",
        ] { #expect(text.contains(line), "\(text)") }
        #expect(
            bird.readiness == [.socket(path: "/run/bird/bird.ctl"), .route(IPv4Network("10.8.0.0/16")!, ways: 2)])
    }

    @Test func `a neighbour of BIRD may be preferred, and one of the same AS is told what others told`() throws {
        let text = try #require(
            try program(
                "bird: { as: 65001, neighbors: { lb.servers: { as: 65001, prefer: 200 } }, announce: 10.9.0.0/24 }"
            )
            .files.first?.text)
        for line in [
            "neighbor 169.254.1.1 as 65001;", "import filter { bgp_local_pref = 200; accept; };", "next hop self;",
            "export where source = RTS_BGP;",
        ] { #expect(text.contains(line), "\(text)") }
        #expect(!text.contains("import all"))
        #expect(
            messages(lab("bird: { as: 1, neighbors: { lb.servers: { as: 2, weight: 3 } } }"))
                .contains { $0.contains("unknown key 'weight' of the neighbor 'lb.servers'; allowed: as, prefer") })
    }

    @Test func `a resolved lab with programs reads back to an equal one`() throws {
        let text = lab(
            "cache:\n        run: [sh, -c, \"$lb/web.address\"]\n        files: { \"a.conf\": \"x\\ty # \\\"\\n\" }")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        let again = try #require(try Lab(parsing: variant.resolvedYAML, path: "lab.yaml").variants.first)
        #expect(again.nodes == variant.nodes)
    }

    @Test(arguments: [
        ("cache: { files: { a: b } }", "a program needs the key 'run'"),
        ("cache: { run: [\"varnishd -F\"] }", "'run' of a program begins with 'varnishd -F'"),
        ("cache: { run: [a], files: { ../b: c } }", "'../b' cannot be the name of a program's file"),
        ("cache: { run: [a], ready: { tpc: 80 } }", "unknown key 'tpc' of 'ready' of a program"),
        ("cache: { run: [a], scratch: /usr/lib }", "a folder of 'scratch' is '/usr/lib'"),
        ("cache: { run: [a, $lb.insid.ip] }", "'lb.insid.ip' refers to nothing"),
        ("nginx: { upstreams: [backend-7] }", "an upstream is 'backend-7', but there is no node 'backend-7'"),
        ("nginx: { listen: 80 }", "the program 'nginx' needs the key 'upstreams'"),
        ("bird: { as: 0, neighbors: { lb.servers: 1 } }", "'as' of the program 'bird' is '0'"),
        (
            "bird: { as: 1, neighbors: { 10.0.0.1: 2 } }",
            "a neighbor of BIRD of 'backend-1' is 10.0.0.1, which is on none of its networks"
        ),
        ("bird: { as: 1, neighbors: { lb.servers: 2 }, announce: [here] }", "what BIRD announces is 'here'"),
        ("bird: { as: 1, config: text }", "'config' is the whole bird.conf, 'as' included"),
    ])
    func `what is wrong is told`(_ programs: String, _ message: String) {
        let found = messages(lab(programs))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test func `a fault names a program by its node`() throws {
        let good = lab("nginx: { upstreams: [lb] }").replacing(
            "fail: { switchover: fw-a }", with: "fail: { kill: backend-1/nginx }")
        let steps = try #require(try Lab(parsing: good, path: "lab.yaml").variants.first).scenario
        #expect(steps.contains(.fail(.kill(ProgramReference(node: "backend-1", program: "nginx")), as: "failover")))
        let bad = messages(good.replacing("kill: backend-1/nginx", with: "kill: backend-1/ngnix"))
        #expect(
            bad.contains { $0.contains("which is no program of a node") && $0.contains("backend-1/nginx") }, "\(bad)")
    }
}

/// Who answers on which port.
@Suite struct `Servers of nodes` {
    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    private func lab(
        backend: String = "", traffic: String = "{ from: client, to: backend, kind: tcp-connect }", more: String = ""
    ) -> String {
        """
        schema: 1
        name: served
        networks: { cable: 10.0.0.0/24 }
        nodes:
          client: { role: client, interfaces: { cable: } }
          backend:
            role: backend
            interfaces: { cable: }
        \(backend.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
        \(more.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        traffic:
          app: \(traffic)
        scenario: [{ start: app }, { wait: 1s }]
        expect: [{ app: survived }]
        """
    }

    private static let haproxy = "programs: { haproxy: { run: [haproxy, -f, $folder/h.cfg], ready: { tcp: 80 } } }"

    @Test(arguments: [
        // HAProxy on another port than the traffic asks: formerly failoverlab's own server answered.
        ("{ from: client, to: 'backend:8080', kind: http-request }", haproxy, "8080/tcp", "services: { http: 8080 }"),
        ("{ from: client, to: 'backend:53', kind: udp }", haproxy, "53/udp", "services: { echo: 53/udp }"),
        ("{ from: client, to: 'backend:80', kind: udp }", haproxy, "80/udp", "services: { echo: 80/udp }"),
        (
            "{ from: client, to: 'backend:21', kind: ftp }", "programs: { bird: { as: 1, neighbors: {} } }", "21/tcp",
            "services: { ftp: 21 }"
        ),
        (
            "{ from: client, to: 'backend:81', kind: tcp-connect }", haproxy + "\nservices: { http: 8080 }", "81/tcp",
            "ready: { tcp: 81 }"
        ),
    ])
    func `a node with programs serves nothing by itself, and a port that it does not name is refused`(
        _ traffic: String, _ backend: String, _ port: String, _ remedy: String
    ) {
        let found = messages(lab(backend: backend, traffic: traffic))
        #expect(found.count == 1, "\(found)")
        let line = 9 + backend.split(separator: "\n").count + 2
        #expect(found.allSatisfy { $0.hasPrefix("\(line):") }, "\(found)")
        #expect(
            found.contains {
                $0.contains("traffic program 'app' asks port \(port) of 'backend'") && $0.contains(remedy)
                    && $0.contains("services: { none: \(port) }")
            }, "\(found)")
    }

    @Test(arguments: [
        haproxy + "\nservices: { http: 8080 }", haproxy + "\nservices: { none: 8080/tcp }",
        "programs: { haproxy: { run: [haproxy], ready: { tcp: [80, 8080] } } }",
        "programs: { nginx: { listen: 8080, config: x } }", "programs: { nginx: { listen: [80, 8080], config: x } }",
    ])
    func `services, ready, none and what built-in programs listen on name a port`(_ backend: String) throws {
        let text = lab(backend: backend, traffic: "{ from: client, to: 'backend:8080', kind: http-request }")
        let variant = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
        guard let host = variant.node(named: "backend")?.role.host else { throw CancellationError() }
        #expect(host.servers == (backend.contains("http: 8080") ? [ServerProgram(kind: .http, port: 8080)] : []))
        let again = try #require(try Lab(parsing: variant.resolvedYAML, path: "lab.yaml").variants.first)
        #expect(again.nodes == variant.nodes)
    }

    @Test func `pools, monitors and proxies that ask a port which no program names are refused, each at its line`() {
        let balancer = """
            lb:
              role: load-balancer
              interfaces: { cable: }
              virtual-services:
                web:
                  listen: 10.0.0.100:80
                  profile: tcp-proxy
                  pool: ["backend:81"]
                  monitor: { kind: tcp, port: 82 }
            proxy:
              role: backend
              interfaces: { cable: }
              programs: { nginx: { upstreams: ["backend:83"] } }
            """
        let found = messages(
            lab(
                backend: Self.haproxy, traffic: "{ from: client, to: lb/web, kind: tcp-connect }", more: balancer))
        #expect(found.count == 3, "\(found)")
        for message in [
            "virtual service lb/web asks port 81/tcp of 'backend'",
            "the monitor of virtual service lb/web asks port 82/tcp of 'backend'",
            "nginx of 'proxy' asks port 83/tcp of 'backend'",
        ] { #expect(found.contains { $0.contains(message) && $0.first?.isNumber == true }, "\(message): \(found)") }
        #expect(found.map { $0.prefix { $0 != ":" } } == ["17", "18", "22"], "\(found)")
    }

    @Test func `a box with programs is asked only on ports of these, at its own addresses`() {
        let box = """
            fw:
              role: firewall
              interfaces: { cable: }
              programs: { bird: { as: 1, neighbors: {} } }
            """
        let bad = messages(lab(traffic: "{ from: client, to: 'fw:80', kind: tcp-connect }", more: box))
        #expect(
            bad.count == 1 && bad[0].contains("asks port 80/tcp of 'fw'") && !bad[0].contains("services:"), "\(bad)")
        #expect(messages(lab(traffic: "{ from: client, to: 'fw:179', kind: tcp-connect }", more: box)).isEmpty)
    }

    @Test func `one port asked for two kinds of server is refused, as the running lab would`() {
        let text = lab(traffic: "{ from: client, to: 'backend:80', kind: http-request }")
            .replacing("scenario:", with: "  raw: { from: client, to: 'backend:80', kind: tcp-connect }\nscenario:")
        let found = messages(text)
        #expect(
            found.contains {
                $0.hasPrefix("13:") && $0.contains("asks port 80/tcp of 'backend' for echo")
                    && $0.contains("traffic program 'app' for http (line 12)")
            }, "\(found)")
        #expect(
            messages(
                text.replacing(
                    "    interfaces: { cable: }\n", with: "    interfaces: { cable: }\n    services: { http: 80 }\n")
            ).isEmpty)
        // The same number of TCP and of UDP are two ports.
        #expect(messages(text.replacing("kind: tcp-connect", with: "kind: udp")).isEmpty)
    }

    @Test func `a port of a program and of services is refused`() {
        let found = messages(
            lab(
                backend: Self.haproxy + "\nservices: { http: 80 }",
                traffic: "{ from: client, to: 'backend:80', kind: http-request }"))
        #expect(
            found.contains { $0.contains("which is also a port of its program 'haproxy'") && $0.hasPrefix("10:") },
            "\(found)")
        let none = messages(
            lab(
                backend: "services: { http: 80, none: 80/tcp }",
                traffic: "{ from: client, to: 'backend:80', kind: http-request }"))
        #expect(none.contains { $0.contains("which 'none' says that it does not") }, "\(none)")
    }
}

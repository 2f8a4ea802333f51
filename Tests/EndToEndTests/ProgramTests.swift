import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Third-party programs in nodes: the real ones, of Debian.
    @Suite struct Programs {
        private static let hasDaemons = Package.tool("nginx") != nil && Package.tool("bird") != nil

        /// A router that learns a network from a proxy's BIRD, and a proxy whose nginx is killed and started again.
        private static let lab = """
            schema: 1
            name: programs
            networks: { outside: 10.1.0.0/24, inside: 10.2.0.0/24 }
            nodes:
              client: { role: client, interfaces: { outside: 10.1.0.10 }, gateway: router.outside }
              router:
                role: router
                interfaces: { outside: 10.1.0.1, inside: 10.2.0.1 }
                programs:
                  bird: { as: 65000, neighbors: { proxy.inside: 65001 }, hold-time: 3s }
              proxy:
                role: backend
                interfaces: { inside: 10.2.0.5 }
                gateway: router.inside
                programs:
                  nginx: { upstreams: [member-1, member-2] }
                  bird: { as: 65001, neighbors: { router.inside: 65000 }, announce: 10.9.0.0/24, hold-time: 3s }
              member-1: { role: backend, interfaces: { inside: 10.2.0.11 } }
              member-2: { role: backend, interfaces: { inside: 10.2.0.12 } }
            traffic:
              app: { from: client, to: "proxy:80", kind: http-request, every: 20ms, patience: 2s }
            scenario:
              - start: app
              - wait: 200ms
              - { fail: { kill: proxy/nginx }, as: killed }
              - wait: 200ms
              - { fail: { start: proxy/nginx }, as: started }
              - wait: 300ms
            expect:
              - app: { succeeds: true, before: killed - 40ms }
              - app: { outcome: refused, after: killed + 60ms, before: started }
              - app: { succeeds: true, after: started + 100ms }
            """

        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

        @Test(.enabled(if: Host.canRunLabs && hasDaemons, "this host cannot run labs, or lacks nginx or bird"))
        func `nginx is killed and comes back, and the host has no file of it`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(Self.lab, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/programs/latest/default"
            #expect(text(run + "/logs/proxy.nginx.log").contains("\"GET / HTTP/1.1\" 200"))
            #expect(text(run + "/nodes/proxy/bird/bird.conf").contains("neighbor 10.2.0.1 as 65000;"))
            for path in ["/run/nginx.pid", "/run/bird"] { #expect(!FileManager.default.fileExists(atPath: path)) }
        }

        @Test(
            .enabled(
                if: Host.isRoot && Host.canRunLabs && hasDaemons, "becoming another user needs root, and nginx and bird"
            ))
        func `an unprivileged user runs nginx, which changes its user, and BIRD, which changes routes`() throws {
            let folder = try TemporaryFolder()
            let program = folder.path + "/failoverlab"
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            let home = folder.path + "/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            _ = try Self.write(Self.lab, in: folder)
            let setpriv = try #require(Package.tool("setpriv"))
            let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program]
            let result = try Command.run(setpriv, user + ["run", "../lab.yaml"], in: home)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let log = text(home + "/runs/programs/latest/default/logs/proxy.nginx.log")
            #expect(log.contains(" 200 ") && !log.contains("emerg"), "\(log.prefix(1000))")
        }

        @Test(.enabled(if: Host.canRunLabs && hasDaemons, "this host cannot run labs, or lacks nginx or bird"))
        func `a route that BIRD learns is the kernel's, and exec finds BIRD's control socket`() throws {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Self.write(Self.lab, in: folder)], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            func routes() throws -> String {
                try Lab.failoverlab(["exec", "--lab", id, "router", "--", "ip", "route"], in: folder).output
            }
            func waitFor(_ isThere: Bool) throws -> Bool {
                for _ in 0..<200 {
                    if try routes().contains("10.9.0.0/24 via 10.2.0.5") == isThere { return true }
                    usleep(50_000)
                }
                return false
            }
            #expect(try waitFor(true))
            let protocols = try Lab.failoverlab(
                ["exec", "--lab", id, "router", "--", "birdc", "show", "protocols"], in: folder)
            #expect(protocols.output.contains("Established"), "\(protocols.output)\(protocols.errors)")
            let kill = try Lab.failoverlab(["fail", "kill", "proxy/bird", "--lab", id], in: folder)
            #expect(kill.status == 0, "\(kill.errors)")
            #expect(try waitFor(false))
            let again = try Lab.failoverlab(["fail", "kill", "proxy/bird", "--lab", id], in: folder)
            #expect(again.status != 0 && again.errors.contains("it is not running"), "\(again.errors)")
        }

        private static let pair = """
            schema: 1
            name: pair
            networks:
              lan: { subnet: [192.0.2.0/24, 2001:db8:1::/64], virtual-addresses: { gateway: 192.0.2.1, gateway-6: fe80::1 } }
              wan: [198.51.100.0/24, 2001:db8:2::/64]
            nodes:
              client: { role: client, interfaces: { lan: }, gateway: [lan/gateway.address, lan/gateway-6.address] }
              server:
                role: backend
                interfaces: { wan: }
                routes: { 192.0.2.0/24: r2.wan, "2001:db8:1::/64": r2.wan }
              r1: &router
                role: router
                interfaces: { lan: , wan: }
                programs:
                  keepalived:
                    instances:
                      four: &four { interface: lan, router-id: 4, interval: 100ms, addresses: lan/gateway.address, priority: 200 }
                      six: &six { interface: lan, router-id: 6, interval: 100ms, addresses: lan/gateway-6.address, priority: 200 }
                    events: { fault-of-a-link: "Netlink reports (?<link>.*) down" }
              r2:
                <<: *router
                programs:
                  keepalived:
                    instances: { four: { <<: *four, priority: 100 }, six: { <<: *six, priority: 100 } }
            traffic:
              four: { from: client, to: "server:7", kind: tcp-connect, every: 20ms }
              six: { from: client, to: "server.wan.ip6:7", kind: tcp-connect, every: 20ms }
            scenario:
              - start: [four, six]
              - wait: 300ms
              - { fail: { power-off: r1 }, as: crash }
              - { wait-for: r2/keepalived.master, within: 3s }
              - wait: 500ms
              - { fail: { kill: r2/keepalived }, as: end }
              - { wait-for: r2/keepalived.ended }
            expect:
              - four: { succeeds: true, before: crash - 20ms }
              - six: { succeeds: true, before: crash - 20ms }
              - four: { succeeds: true, after: r2/keepalived.master + 300ms, before: end }
              - six: { succeeds: true, after: r2/keepalived.master + 300ms, before: end }
              - { event: { name: r2/keepalived.master, with: { instance: six }, count: 1, after: crash, within: 2s } }
              - { event: { name: r2/keepalived.ended, with: { reason: "was killed" }, after: end } }
            """

        private static let hasKeepalived = Package.tool("keepalived") != nil

        @Test(.enabled(if: Host.canRunLabs && hasKeepalived, "this host cannot run labs, or lacks keepalived"))
        func `a powered-off router's keepalived does not see its own death, and the other takes both families`() throws
        {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(Self.pair, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/pair/latest/default"
            let log = text(run + "/logs/r1.keepalived.log")
            #expect(log.contains("Entering MASTER STATE") && !log.contains("FAULT"), "\(log)")
            #expect(text(run + "/events.jsonl").contains("\"r1/keepalived.started\""))
        }

        /// A balancer announces its virtual address to two firewalls, which pass it on to a router: no box has a static
        /// route. Then one firewall's BIRD is killed.
        private static let borderGateway = """
            schema: 1
            name: border-gateway
            networks: { outside: 10.1.0.0/24, edge: 10.2.0.0/24, inside: 10.3.0.0/24, servers: 10.4.0.0/24 }
            nodes:
              client: { role: client, interfaces: { outside: 10.1.0.10 }, gateway: router.outside }
              router:
                role: router
                interfaces: { outside: 10.1.0.1, edge: 10.2.0.1 }
                programs:
                  bird:
                    as: 65000
                    neighbors: { fw-a.edge: 65010, fw-b.edge: 65010 }
                    announce: 10.1.0.0/24
                    await: { lb/web.address: 2 }
              fw-a:
                role: firewall
                interfaces: { edge: 10.2.0.2, inside: 10.3.0.2 }
                programs:
                  bird:
                    as: 65010
                    neighbors: { router.edge: 65000, lb.inside: 65020 }
                    await: [lb/web.address, 10.1.0.0/24]
              fw-b:
                role: firewall
                interfaces: { edge: 10.2.0.3, inside: 10.3.0.3 }
                programs:
                  bird:
                    as: 65010
                    neighbors: { router.edge: 65000, lb.inside: 65020 }
                    await: [lb/web.address, 10.1.0.0/24]
              lb:
                role: load-balancer
                interfaces: { inside: 10.3.0.5, servers: 10.4.0.5 }
                virtual-services: { web: { listen: 10.9.0.100:7, profile: tcp-fast-path, pool: ["member:7"] } }
                programs:
                  bird:
                    as: 65020
                    neighbors: { fw-a.inside: 65010, fw-b.inside: 65010 }
                    announce: lb/web.address
                    await: { 10.1.0.0/24: 2 }
              member: { role: backend, interfaces: { servers: 10.4.0.10 }, gateway: lb.servers }
            traffic:
              new: { from: client, to: lb/web, kind: tcp-connect, every: 20ms, patience: 1s }
            scenario:
              - start: new
              - wait: 500ms
              - { fail: { kill: fw-a/bird }, as: killed }
              - { wait-for: router.route-changed }
              - wait: 700ms
            expect:
              # A connection that is open while its way moves meets a firewall that has not seen it begin.
              - new: { succeeds: true, before: killed - 40ms }
              - new: { succeeds: true, after: killed + 400ms }
              - frames: { on: fw-a.edge, of: new, direction: to-server, before: killed }
                some: { tcp.flags: SYN }
              - frames: { on: fw-b.edge, of: new, direction: to-server, before: killed }
                some: { tcp.flags: SYN }
              - event: { name: router.route-changed, count: 1, after: killed, within: 2s }
              - event: { name: lb.route-changed, count: 1, after: killed, within: 2s }
              - frames: { on: fw-a.edge, of: new, direction: to-server, after: killed + 400ms }
                none: { tcp.flags: SYN }
              - frames: { on: fw-b.edge, of: new, direction: to-server, after: killed + 400ms }
                some: { tcp.flags: SYN }
            """

        @Test(.enabled(if: Host.canRunLabs && hasDaemons, "this host cannot run labs, or lacks nginx or bird"))
        func `boxes forward by what BIRD learns, in equal ways, and a withdrawal moves the traffic`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(Self.borderGateway, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let events = text(folder.path + "/runs/border-gateway/latest/default/events.jsonl")
            let added = events.split(separator: "\n").filter { $0.contains("\"lb.route-") }
            #expect(added.contains { $0.contains("\"gateways\":\"10.3.0.2 10.3.0.3\"") }, "\(added)")
            #expect(added.last?.contains("\"gateways\":\"10.3.0.3\"") == true, "\(added)")
        }

        private static func single(_ program: String) -> String {
            """
            schema: 1
            name: single
            networks: { cable: 10.1.0.0/24 }
            nodes:
              a:
                role: backend
                interfaces: { cable: }
                programs:
                  \(program)
              b: { role: client, interfaces: { cable: } }
            scenario:
              - wait: 200ms
            """
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a program that dies unexpectedly ends the lab with code 3 and its last lines`() throws {
            let folder = try TemporaryFolder()
            let lab = Self.single("short: { run: [sh, -c, 'echo these are its last words >&2; exit 5'] }")
            let result = try Lab.failoverlab(["run", Self.write(lab, in: folder)], in: folder)
            #expect(result.status == 3, "\(result.output)\n\(result.errors)")
            #expect(
                result.errors.contains("program 'short' died unexpectedly: it exited with code 5"), "\(result.errors)")
            #expect(result.errors.contains("these are its last words"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a program that is not installed ends with code 4, and reports which package has it`() throws {
            let folder = try TemporaryFolder()
            let lab = Self.single("cache: { run: [no-such-daemon, -F], package: no-such-package }")
            let result = try Lab.failoverlab(["run", Self.write(lab, in: folder)], in: folder)
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(
                result.errors.contains("'no-such-daemon'") && result.errors.contains("apt-get install no-such-package"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a program finds the host's files read-only, and folders of its own where programs write`() throws {
            let folder = try TemporaryFolder()
            let name = "failoverlab-was-here-\(getpid())"
            let script = [
                "for i in /etc /usr /run /tmp /var/tmp /var/log $folder; do",
                "touch $i/\(name) && echo $i >> $folder/wrote;",
                "done; exec sleep 60",
            ].joined(separator: " ")
            let result = try Lab.failoverlab(
                ["run", Self.write(Self.single("sh: { run: [sh, -c, '\(script)'] }"), in: folder)], in: folder)
            // Played to its end, with nothing to judge.
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            let own = folder.path + "/runs/single/latest/default/nodes/a/sh"
            let wrote = text(own + "/wrote").split(separator: "\n").map(String.init)
            let base = try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/runs/single/latest")
            #expect(wrote.dropLast() == ["/run", "/tmp", "/var/tmp", "/var/log"], "\(wrote)")
            #expect(wrote.last?.hasSuffix("runs/single/\(base)/default/nodes/a/sh") == true, "\(wrote)")
            for place in ["/etc", "/usr", "/run", "/tmp", "/var/tmp", "/var/log"] {
                #expect(!FileManager.default.fileExists(atPath: "\(place)/\(name)"))
            }
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Routes with several next hops, addresses on loopbacks, FRR, and names by dnsmasq.
    @Suite struct Routing {
        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private static let equalPaths = """
            schema: 1
            name: equal-paths
            networks:
              lan: { subnet: [192.0.2.0/24, 2001:db8:1::/64], virtual-addresses: { one: fe80::1, two: fe80::2 } }
              wan: [198.51.100.0/24, 2001:db8:2::/64]
            nodes:
              client:
                role: client
                interfaces: { lan: }
                gateway: r1.lan
                routes:
                  server.lo.ip: [r1.lan, r2.lan]
                  server.lo.ip6: [lan/one.address, lan/two.address]
                sysctls: { net.ipv4.fib_multipath_hash_policy: 1, net.ipv6.fib_multipath_hash_policy: 1 }
              r1:
                role: router
                interfaces: { lan: , wan: }
                routes: { server.lo.ip: server.wan, server.lo.ip6: server.wan }
                programs:
                  address: { run: [sh, -c, "ip address add fe80::1/64 dev lan nodad && echo added && exec sleep inf"], ready: { output: added } }
              r2:
                role: router
                interfaces: { lan: , wan: }
                routes: { server.lo.ip: server.wan, server.lo.ip6: server.wan }
                programs:
                  address: { run: [sh, -c, "ip address add fe80::2/64 dev lan nodad && echo added && exec sleep inf"], ready: { output: added } }
              server:
                role: backend
                interfaces: { wan: }
                gateway: [r1.wan, r2.wan]
                loopback: [203.0.113.1, "2001:db8:99::1"]
            traffic:
              four: { from: client, to: "server.lo.ip:7", kind: tcp-connect, every: 10ms }
              six: { from: client, to: "server.lo.ip6:7", kind: tcp-connect, every: 10ms }
            scenario: [{ start: [four, six] }, { wait: 800ms }]
            expect:
              - four: { succeeds: true }
              - six: { succeeds: true }
              - { frames: { on: r1.lan, of: four, direction: to-server }, some: { ip.dst: server.lo.ip, tcp.flags: SYN } }
              - { frames: { on: r2.lan, of: four, direction: to-server }, some: { ip.dst: server.lo.ip, tcp.flags: SYN } }
              - { frames: { on: r1.lan, of: six, direction: to-server }, some: { ip6.dst: server.lo.ip6, tcp.flags: SYN } }
              - { frames: { on: r2.lan, of: six, direction: to-server }, some: { ip6.dst: server.lo.ip6, tcp.flags: SYN } }
            """

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `flows take each of several next hops, of both families, to addresses on a loopback`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(
                ["run", Self.write(Self.equalPaths, in: folder)] + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        private static let names = """
            schema: 1
            name: names
            networks: { cable: [10.1.0.0/24, 2001:db8:1::/64] }
            nodes:
              server:
                role: backend
                interfaces: { cable: }
                programs:
                  dnsmasq: { records: { www.example.test: [10.9.0.80, "2001:db8:9::80"] } }
              cache: { role: backend, interfaces: { cable: }, programs: { dnsmasq: { upstream: server.cable, listen: 53 } } }
              client:
                role: client
                interfaces: { cable: }
                programs:
                  asks:
                    run:
                      - sh
                      - -c
                      - "for kind in A AAAA; do until dig +short +tries=1 +time=1 @$cache.cable.ip www.example.test $kind | grep -v ';'; do :; done; done; exec sleep inf"
                    ready: { output: ["^10[.]9[.]0[.]80$", "^2001:db8:9::80$"] }
            scenario: [{ wait: 100ms }]
            expect: [{ frames: { on: server.cable, match: udp dst port 53 and src host cache.cable.ip }, some: }]
            """

        private static let hasNames = Package.tool("dnsmasq") != nil && Package.tool("dig") != nil

        @Test(.enabled(if: Host.canRunLabs && hasNames, "this host cannot run labs, or lacks dnsmasq or dig"))
        func `dnsmasq answers from its records, and through another one that asks it`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(
                ["run", Self.write(Self.names, in: folder)] + Lab.untilDecided, in: folder)
            // The client's program is ready when both answers have come.
            let log = folder.path + "/runs/names/latest/default/logs/"
            let asked = (try? String(contentsOfFile: log + "server.dnsmasq.log", encoding: .utf8)) ?? ""
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            #expect(asked.contains("query[AAAA] www.example.test from 10.1.0."), "\(asked)\n\(result.output)")
        }

        private static let border = """
            schema: 1
            name: border
            networks: { core: 10.0.0.0/24 }
            nodes:
              r1:
                role: router
                interfaces: { core: 10.0.0.1 }
                programs:
                  frr: { as: 65001, neighbors: { r2.core: 65002 }, announce: 10.8.0.0/24, await: 10.9.0.0/24, detect: 900ms }
              r2:
                role: router
                interfaces: { core: 10.0.0.2 }
                programs:
                  frr: { as: 65002, neighbors: { r1.core: 65001 }, announce: 10.9.0.0/24, await: 10.8.0.0/24, detect: 900ms }
            """

        private static let hasFRR = FileManager.default.isExecutableFile(atPath: "/usr/lib/frr/zebra")

        @Test(.enabled(if: Host.canRunLabs && hasFRR, "this host cannot run labs, or lacks FRR"))
        func `an unprivileged user runs FRR, whose routes are the kernel's, and vtysh by exec`() throws {
            let folder = try TemporaryFolder()
            let (program, home) = (folder.path + "/failoverlab", folder.path + "/home")
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            _ = try Self.write(Self.border, in: folder)
            let setpriv = try #require(Package.tool("setpriv"))
            let other = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program]
            func failoverlab(_ arguments: [String]) throws -> CommandResult {
                Host.isRoot
                    ? try Command.run(setpriv, other + arguments, in: home)
                    : try Command.run(program, arguments, in: home)
            }
            let up = try failoverlab(["up", "../lab.yaml"])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? failoverlab(["down", id]) }
            let summary = try failoverlab(
                ["exec", "--lab", id, "r1", "--", "vtysh", "-c", "show bfd peers", "-c", "show ip route bgp"])
            #expect(summary.output.contains("peer 10.0.0.2"), "\(summary.output)\(summary.errors)")
            #expect(summary.output.contains("B>* 10.9.0.0/24"), "\(summary.output)\(summary.errors)")
        }
    }
}

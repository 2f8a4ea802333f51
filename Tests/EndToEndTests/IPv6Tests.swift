import Foundation
import TestSupport
import Testing

extension ShippedLabs {
    /// Labs with IPv6, alone and beside IPv4, judged from their captures.
    @Suite struct IPv6 {
        /// A client, a router, a balancer and two backends; no IPv4 anywhere.
        private static let alone = """
            schema: 1
            name: six
            networks: { outside: "2001:db8:1::/64", inside: "2001:db8:2::/64", servers: "2001:db8:3::/64" }
            nodes:
              client: { role: client, interfaces: { outside: 2001:db8:1::10 }, gateway: router.outside }
              router:
                role: router
                interfaces: { outside: 2001:db8:1::1, inside: 2001:db8:2::1 }
                routes: { 2001:db8:3::/64: lb.inside }
              lb:
                role: load-balancer
                interfaces: { inside: 2001:db8:2::5, servers: 2001:db8:3::5 }
                gateway: router.inside
                virtual-services:
                  stream: { listen: "[2001:db8:2::100]:7/tcp", profile: tcp-fast-path, pool: [b1, b2], monitor: tcp }
                  kept: { listen: "[2001:db8:2::101]:7/tcp", profile: tcp-fast-path, pool: [b1, b2], snat: off }
                  hashed: { listen: "[2001:db8:2::100]:7/udp", profile: udp-fast-path, pool: [b1, b2], scheduler: consistent-hash }
                  datagrams: { listen: "[2001:db8:2::102]:9/udp", profile: udp-per-packet, pool: ["b1:7", "b2:7"], snat: off }
                  proxy: { listen: "[2001:db8:2::103]:7/tcp", profile: tcp-proxy, pool: [b1, b2] }
                  web: { listen: "[2001:db8:2::104]:80/tcp", profile: http, pool: ["b1:80", "b2:80"], monitor: http }
              b1: { role: backend, interfaces: { servers: 2001:db8:3::11 }, gateway: lb.servers }
              b2: { role: backend, interfaces: { servers: 2001:db8:3::12 }, gateway: lb.servers }
            traffic:
              tcp: { from: client, to: lb/stream, kind: tcp-stream, flows: 4, every: 20ms }
              kept: { from: client, to: lb/kept, kind: tcp-connect, every: 40ms }
              udp: { from: client, to: lb/hashed, kind: udp, flows: 4, every: 20ms }
              datagrams: { from: client, to: lb/datagrams, kind: udp-request, every: 40ms }
              proxy: { from: client, to: lb/proxy, kind: tcp-stream, flows: 2, every: 20ms }
              web: { from: client, to: lb/web, kind: http-request, every: 40ms }
              router: { from: client, to: "router.outside:7", kind: udp, every: 20ms }
            scenario:
              - start: [tcp, kept, udp, datagrams, proxy, web, router]
              - wait: 600ms
              - { fail: { link-down: lb.inside }, as: cut }
              - wait: 100ms
              - { fail: { link-up: lb.inside }, as: mended }
              - wait: 700ms
            expect:
              - tcp: { survives: true, lost: 0 }
              - kept: { survives: true, after: mended + 300ms }
              - udp: { survives: true }
              - datagrams: { survives: true, after: mended + 300ms }
              - proxy: { survives: true, lost: 0 }
              - web: { survives: true, after: mended + 300ms }
              - router: { survives: true }
              - frames: { on: lb.servers, of: kept, direction: to-server }
                every: { ip6.src: client.outside.ip6, ip6.hlim: 62, eth.src: lb.servers.mac }
              - frames: { on: lb.servers, match: "tcp dst port 7 and not src port 7 and src host lb.servers.ip6" }
                some: { ip6.dst: b1.servers.ip6 }
              - frames: { on: client.outside, of: datagrams, direction: to-client }
                every: { ip6.src: lb/datagrams.address, udp.srcport: 9, eth.src: router.outside.mac }
              - frames: { on: lb.inside, match: "icmp6 and ip6[40] == 136" }
                some: { nd.target: lb/stream.address, ip6.hlim: 255 }
            """

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab without any IPv4 carries every kind of service`() throws {
            let run = try CatalogueRun.of("six", written: Self.alone)
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            #expect(Lab.captures(in: run.path).count >= 9)
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(if: TShark.path != nil, "tshark is not installed"))
        func `in a lab without any IPv4 there is no other frame`() throws {
            let run = try CatalogueRun.of("six", written: Self.alone)
            // Nothing but IPv6: no ARP, no IPv4, no router solicitation, no duplicate address detection.
            let strange = try TShark.frames(
                ofAll: Lab.captures(in: run.path),
                matching:
                    "(eth.type != 0x86dd and eth.type != 0x88b5) or icmpv6.type == 133 or icmpv6.type == 134 or (icmpv6.type == 135 and ipv6.src == ::)"
            )
            #expect(strange.isEmpty, "\(strange)")
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(if: TShark.path != nil, "tshark is not installed"), arguments: ["six", "ipv6-path-mtu"])
        func `Wireshark finds no bad frame in IPv6`(lab: String) throws {
            let run = try lab == "six" ? CatalogueRun.of(lab, written: Self.alone) : CatalogueRun.of(lab)
            try examine(run.path, captures: lab == "six" ? 9 : 27)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the black hole of the path MTU opens and closes, beside IPv4`() throws {
            let run = try CatalogueRun.of("ipv6-path-mtu")
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            let variants = try #require(try run.verdict()["variants"] as? [[String: Any]])
            #expect(variants.count == 3)
            for variant in variants {
                #expect(variant["verdict"] as? String == "pass", "\(variant["name"] ?? "")")
                for capture in try #require(variant["captures"] as? [[String: Any]]) {
                    #expect(capture["dropped"] as? Int == 0, "\(variant["name"] ?? ""): \(capture)")
                }
            }
        }

        @Test func `mistakes about addresses are reported with their line, and nothing is built`() throws {
            let folder = try TemporaryFolder()
            let text = Self.alone.replacingOccurrences(of: "outside: 2001:db8:1::10", with: "outside: 192.0.2.10")
            try text.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", "lab.yaml"], in: folder)
            #expect(result.status == 2)
            #expect(
                result.errors.contains("lab.yaml:5:50: the address 192.0.2.10 of client.outside is IPv4"),
                "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/runs"))
        }

        private func examine(_ path: String, captures least: Int) throws {
            let captures = Lab.captures(in: path)
            #expect(captures.count >= least)
            // The packet that an ICMP error quotes is cut off: its transport checksum cannot be right.
            let filter =
                "((\(TShark.badFrames)) and not ((icmp or icmpv6) and (tcp or udp))) or icmp.checksum.status == \"Bad\" or icmpv6.checksum.status == \"Bad\""
            // A folder is a variant's: labs give the same addresses to every variant.
            let folders = Dictionary(grouping: captures) { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
            for (folder, files) in folders {
                let bad = try TShark.frames(ofAll: files, matching: filter)
                #expect(bad.isEmpty, "\(folder): \(bad)")
            }
        }
    }
}

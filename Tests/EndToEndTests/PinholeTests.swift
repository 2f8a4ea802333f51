import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// FTP through a firewall pair whose rules know only its control connections.
    @Suite struct Pinholes {
        private static let lab = """
            schema: 1
            name: pinholes
            title: FTP through a pair that lets only control connections through
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
            nodes:
              client: { role: client, interfaces: { inside: 198.51.100.10 }, gateway: 198.51.100.1 }
              server: { role: backend, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                redundancy:
                  { peer: fw-b, priority: 200, preempt: off, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
                rules: &rules
                  ftp: { action: allow, on: inside, protocol: tcp, ports: 21 }
                otherwise: deny
                application-gateways: GATEWAYS
                NAT
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
                rules: *rules
                otherwise: deny
                application-gateways: GATEWAYS
            traffic:
              files:
                { from: client, to: "server:21", kind: ftp, mode: MODE, data-after: AFTER, bytes: 200000, every: 1h,
                  patience: TIMEOUT MORE }

            """

        private func run(
            gateways: String = "[ftp]", mode: String = "passive", after: String = "700ms", nat: String = "",
            more: String = "", timeout: String = "3s", _ scenario: String
        ) throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            let text = Self.lab.replacing("GATEWAYS", with: gateways).replacing("MODE", with: mode)
                .replacing("AFTER", with: after).replacing("NAT", with: nat).replacing("MORE", with: more).replacing(
                    "TIMEOUT", with: timeout)
            try (text + scenario).write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            return folder
        }

        /// tshark finds both kinds of connections, by what was announced, and nothing malformed.
        private func check(_ folder: TemporaryFolder, line: String) throws {
            let capture = "\(folder.path)/runs/pinholes/latest/default/captures/client.inside.pcap"
            #expect(try TShark.frames(of: capture, matching: "ftp contains \"\(line)\"").isEmpty == false)
            #expect(try TShark.frames(of: capture, matching: "ftp-data").isEmpty == false)
            #expect(try TShark.frames(of: capture, matching: TShark.badFrames).isEmpty)
        }

        private static let failover = """
            scenario:
              - start: files
              - { wait-for: fw-a.pinhole-opened, within: 3s }
              - wait: 50ms
              - { fail: { power-off: fw-a }, as: failover }
              - wait: 900ms
            """

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            arguments: [("passive", "227 "), ("active", "PORT ")])
        func `a pinhole opened before the failover carries its data connection after it`(mode: String, line: String)
            throws
        {
            let source = mode == "passive" ? "client" : "server"
            let folder = try run(
                mode: mode,
                Self.failover + """

                    expect:
                      - files: { survives: true, lost: 0 }
                      - event: { name: fw-a.pinhole-used, count: 0 }
                      - event: { name: fw-b.pinhole-used, count: 1, after: failover }
                      - event: { name: fw-b.pinhole-opened, count: 0 }
                      - frames: { on: \(source).\(mode == "passive" ? "inside" : "outside"), match: "tcp[tcpflags] == tcp-syn and not port 21", before: failover }
                        none:
                    """)
            try check(folder, line: line)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a translated client's data connection leaves from the same address after the failover`() throws {
            let folder = try run(
                mode: "extended-passive",
                nat:
                    "nat: { pools: { internet: { addresses: outside.virtual-ip } }, rules: [{ source: inside, protocol: tcp, ports: 21, pool: internet }] }",
                Self.failover + """

                    expect:
                      - files: { survives: true, lost: 0 }
                      - event: { name: fw-b.pinhole-used, count: 1, after: failover }
                      - frames: { on: server.outside, match: "tcp and dst host 192.0.2.10" }
                        every: { ip.src: fw-a/internet.address }
                    """)
            try check(folder, line: "229 ")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `without the gateway the data connection is blocked`() throws {
            _ = try run(
                gateways: "[]", after: "0ms", timeout: "800ms",
                """
                scenario:
                  - start: files
                  - wait: 300ms
                expect:
                  - files: timed-out
                  - frames: { on: client.inside, match: "tcp[tcpflags] == tcp-syn and not port 21" }
                    count: "> 0"
                  - frames: { on: server.outside, match: "tcp[tcpflags] == tcp-syn and not port 21" }
                    none:
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a bounce does not get through, and is reported`() throws {
            _ = try run(
                mode: "active", after: "0ms", more: ", announce: 198.51.100.99", timeout: "800ms",
                """
                scenario:
                  - start: files
                  - { wait-for: fw-a.pinhole-refused, within: 3s }
                expect:
                  - files: timed-out
                  - event: { name: fw-a.pinhole-refused, with: { reason: bounce }, count: "> 0" }
                  - event: { name: fw-a.pinhole-opened, count: 0 }
                  # PORT with its arguments is the longest segment.
                  - frames: { on: client.inside, match: "tcp dst port 21 and greater 90" }
                    count: "> 0"
                  - frames: { on: server.outside, match: "tcp dst port 21 and greater 90" }
                    none:
                """)
        }
    }
}

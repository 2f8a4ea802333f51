import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What boxes and switches do to frames that are rare, and when a load balancer is ready.
    @Suite struct Boxes {
        private func run(_ lab: String) throws -> (status: Int32, text: String, events: String) {
            let folder = try TemporaryFolder()
            let path = folder.path + "/box.yaml"
            try lab.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path], in: folder)
            let events = folder.path + "/runs/box/latest/default/events.jsonl"
            return (
                result.status, result.output + result.errors,
                (try? String(contentsOfFile: events, encoding: .utf8)) ?? ""
            )
        }

        @Test(
            .enabled(if: Host.canRunLabs && Package.tool("nginx") != nil, "this host cannot run labs, or lacks nginx"))
        func `a member that is ready long after its balancer is never held for dead`() throws {
            let result = try run(
                """
                schema: 1
                name: box
                networks: { outside: 10.1.0.0/24, servers: 10.2.0.0/24 }
                nodes:
                  client: { role: client, interfaces: { outside: 10.1.0.10 }, gateway: lb.outside }
                  lb:
                    role: load-balancer
                    interfaces: { outside: 10.1.0.5, servers: 10.2.0.5 }
                    virtual-services:
                      web: { listen: 10.1.0.100:80, profile: tcp-fast-path, pool: ["slow:80"], monitor: { kind: tcp, every: 20ms, timeout: 500ms, fall: 2, rise: 9 } }
                  slow:
                    role: backend
                    interfaces: { servers: 10.2.0.10 }
                    gateway: lb.servers
                    programs:
                      web:
                        run: [sh, -c, "sleep 1; exec nginx -e stderr -c $folder/nginx.conf"]
                        ready: { tcp: 80 }
                        scratch: /var/lib/nginx
                        files:
                          nginx.conf: |
                            daemon off;
                            events {}
                            http { access_log off; server { listen 80; return 200 "late"; } }
                traffic:
                  new: { from: client, to: lb/web, kind: tcp-connect, exchange: off, every: 20ms, patience: 1s }
                scenario: [{ start: new }, { wait: 300ms }]
                expect:
                  - new: { succeeds: true }
                  - frames: { on: slow.servers, match: "tcp dst port 80 and src portrange 10240-32767", after: new.start }
                    some: { tcp.flags: SYN }
                """)
            #expect(result.status == 0, "\(result.text)")
            #expect(!result.events.contains("lb.member-"), "\(result.events)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a switch passes a frame whose IPv4 header has a wrong checksum`() throws {
            let result = try run(
                """
                schema: 1
                name: box
                networks: { lan: { subnet: 10.1.0.0/24, switch: on } }
                nodes:
                  client: { role: client, interfaces: { lan: 10.1.0.10 } }
                  server: { role: backend, interfaces: { lan: 10.1.0.20 } }
                traffic:
                  ask: { from: client, to: "server:7", kind: udp-request, every: 50ms, patience: 1s, retry-every: 100ms }
                faults:
                  damaged:
                    on: client.lan
                    match: udp dst port 7
                    occurrence: { nth: 3 }
                    do: { corrupt: { part: ip, byte: 8, bit: 0, checksums: wrong } }
                scenario: [{ start: ask }, { wait: 400ms }]
                expect:
                  - event: { name: damaged.corrupted, count: 1 }
                  - frames: { on: client.lan.far, match: "udp dst port 7 and ip[8] != 64" }
                    count: 1
                  - frames: { on: server.lan, match: "udp dst port 7 and ip[8] != 64" }
                    count: 1
                """)
            #expect(result.status == 0, "\(result.text)")
        }

        private static func pair(_ box: String, inside: Int, outside: Int, payload: Int, expect: String) -> String {
            """
            schema: 1
            name: box
            networks:
              inside: { subnet: 10.1.0.0/24, mtu: \(inside) }
              outside: { subnet: 10.2.0.0/24, mtu: \(outside) }
            nodes:
              client: { role: client, interfaces: { inside: 10.1.0.10 }, gateway: box.inside }
              box: { \(box), interfaces: { inside: 10.1.0.1, outside: 10.2.0.1 } }
              server: { role: backend, interfaces: { outside: 10.2.0.20 }, gateway: box.outside }
            traffic:
              ask: { from: client, to: "server:7", kind: udp-request, every: 50ms, payload: \(payload), patience: 1s }
            scenario: [{ start: ask }, { wait: 500ms }]
            expect:
            \(inside == outside ? "  - ask: { succeeds: true }" : "")
            \(expect)
            """
        }

        private static let boxes = [
            "role: firewall",
            "role: gateway-firewall, mode: routed, profile: pf, filter: { inside: both, outside: both }",
        ]

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: boxes)
        func `jumbo frames pass a box whole, and what is too big for the next link is answered`(box: String) throws {
            let whole = try run(
                Self.pair(
                    box, inside: 9216, outside: 9216, payload: 9188,
                    expect: """
                          - frames: { on: server.outside, match: "udp dst port 7" }
                            every: { udp.len: 9188 }
                        """))
            #expect(whole.status == 0, "\(whole.text)")
            let cut = try run(
                Self.pair(
                    box, inside: 9000, outside: 1500, payload: 8000,
                    expect: """
                          - frames: { on: client.inside, match: "icmp[0] = 3 and icmp[1] = 4" }
                            every: { icmp.mtu: 1500, ip.src: box.inside.ip }
                          - frames: { on: server.outside, match: "udp dst port 7" }
                            some: { ip.src: client.inside.ip }
                        """))
            #expect(cut.status == 0, "\(cut.text)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: boxes)
        func `fragmented datagrams pass a box both ways`(box: String) throws {
            let result = try run(
                Self.pair(
                    box, inside: 1500, outside: 1500, payload: 4000,
                    expect: """
                          - frames: { on: server.outside, match: "ip[6:2] & 0x1fff != 0" }
                            some:
                        """))
            #expect(result.status == 0, "\(result.text)")
        }
    }
}

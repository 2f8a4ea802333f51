import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A pair whose peer does not read, whose tables are full, whose cross-connect loses a third: what was established
    /// survives, and what is refused is refused as stated.
    @Suite struct PairBadLuck {
        private static let head = """
            schema: 1
            name: bad-luck
            title: A firewall pair and bad luck
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
            nodes:
              client: { role: client, interfaces: { inside: 198.51.100.11 }, gateway: 198.51.100.1 }
              server: { role: backend, interfaces: { outside: 192.0.2.50 }, gateway: 192.0.2.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                redundancy:
                  { peer: fw-b, preempt: off, HEARTBEAT, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
              fw-b: { role: firewall, interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: } }
            x-power-off: &power-off
              - { fail: { power-off: fw-a }, as: failover }
              - { wait-for: fw-b.active, within: 5s }
              - wait: 200ms
            x-one-active: &one-active
              - event: { name: fw-b.dual-active, count: 0 }
              - event: { name: fw-b.active, count: 0, after: scenario.begin, before: failover }

            """

        /// - Returns: of each variant and box the counters at the end
        private func run(
            _ scenario: String, heartbeat: String = "heartbeat-every: 20ms"
        ) throws -> [String: [String: [String: Int]]] {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            try (Self.head.replacingOccurrences(of: "HEARTBEAT", with: heartbeat) + scenario)
                .write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            var counters: [String: [String: [String: Int]]] = [:]
            let latest = folder.path + "/runs/bad-luck/latest"
            for variant in try FileManager.default.contentsOfDirectory(atPath: latest) {
                let path = "\(latest)/\(variant)/counters.json"
                guard let data = FileManager.default.contents(atPath: path) else { continue }
                let boxes = try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]] ?? [:]
                counters[variant] = boxes.mapValues { readings in
                    Dictionary(
                        readings.map { ($0["name"] as? String ?? "", $0["value"] as? Int ?? -1) },
                        uniquingKeysWith: { first, _ in first })
                }
            }
            return counters
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func
            `a standby that stops reading costs the Active a window of messages, and knows everything when it goes on`()
            throws
        {
            let counters = try run(
                """
                traffic:
                  before: { from: client, to: "server:7", kind: tcp-stream, flows: 8, every: 10ms, patience: 5s }
                  during: { from: client, to: "server:7", kind: tcp-stream, flows: 8, every: 10ms, patience: 5s }
                  new: { from: client, to: "server:7", kind: tcp-connect, every: 1ms, patience: 2s }
                x-hang: &hang
                  - start: before
                  - wait: 200ms
                  - { fail: { hang: fw-b }, as: hung }
                  - start: [during, new]
                x-served: &served
                  - before: { survives: true, lost: 0 }
                  - during: { survives: true, lost: 0 }
                  - new: { succeeds: true }
                variants:
                  unnoticed:
                    shows: control
                    change:
                      scenario:
                        - *hang
                        - wait: 500ms
                        - { fail: { resume: fw-b }, as: resumed }
                        - stop: new
                        - wait: 400ms
                        - *power-off
                    expect:
                      - *served
                      - *one-active
                      # The link's carrier tells of the death, not eight silent heartbeats.
                      - event: { name: fw-b.active, count: 1, after: failover, within: 800ms }
                  noticed:
                    shows: control
                    change:
                      nodes: { fw-a: { redundancy: { heartbeat-every: 50ms, heartbeat-misses: 3 } } }
                      scenario:
                        - *hang
                        - { wait-for: fw-a.peer-down, within: 5s }
                        - wait: 300ms
                        - { fail: { resume: fw-b }, as: resumed }
                        - { wait-for: fw-b.sync-complete, within: 5s }
                        - stop: new
                        - wait: 400ms
                        - *power-off
                    expect:
                      - *served
                      - *one-active
                  still-hung:
                    shows: control
                    change:
                      scenario:
                        - *hang
                        - wait: 500ms
                    expect: *served
                """, heartbeat: "heartbeat-every: 200ms, heartbeat-misses: 8")
            let hung = try #require(counters["still-hung"]?["fw-a"])
            let opened = try #require(hung["sessions.opened"])
            #expect(opened > 100)
            // The window is full; everything else waits as one note a session, and what was sent is sent again.
            #expect(hung["sync.messages-under-way"] == 64)
            #expect(try #require(hung["sync.sessions-noted"]) > 10)
            #expect(try #require(hung["sync.sessions-noted"]) <= opened)
            #expect(try #require(hung["sync.records-resent"]) > 0)
            let consumed = try #require(hung["sync.records-acknowledged"])
            #expect(try #require(hung["sync.records-sent"]) < consumed + 64 * 60)
            for variant in ["unnoticed", "noticed"] {
                let box = try #require(counters[variant]?["fw-b"])
                #expect(try #require(box["sessions"]) >= opened / 2, "\(variant)")
                #expect(box["sessions.opened"] == 0, "\(variant): what came was known")
                #expect(box["sync.records-refused"] == 0, "\(variant)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a full pool and a full session table refuse what is new and keep what is established, over a failover`()
            throws
        {
            let counters = try run(
                """
                traffic:
                  before: { from: client, to: "server:7", kind: tcp-stream, flows: 6, every: 10ms, patience: 5s }
                  new: { from: client, to: "server:7", kind: tcp-connect, every: 5ms, patience: 300ms }
                  more: { from: client, to: "server:7", kind: tcp-connect, every: 5ms, patience: 300ms }
                scenario:
                  - start: before
                  - wait: 200ms
                  - start: new
                  - wait: 500ms
                  - stop: new
                  - *power-off
                  - start: more
                  - wait: 400ms
                expect:
                  - before: { survives: true, lost: 0 }
                  - *one-active
                x-refused: &refused
                  # RFC 5508, REQ-8: whoever cannot be given a mapping is told so, by either box.
                  - frames: { on: client.inside, match: icmp, after: new.start }
                    every: { icmp.type: 3, icmp.code: 13, inner.tcp.flags: SYN, inner.tcp.dstport: 7 }
                  - frames: { on: client.inside, match: icmp, before: failover }
                    count: "> 10"
                  - frames: { on: client.inside, match: icmp, after: failover }
                    count: "> 10"
                variants:
                  pool:
                    shows: control
                    change:
                      nodes:
                        fw-a:
                          nat:
                            pools: { internet: { addresses: outside.virtual-ip, ports: 2000-2015 } }
                            rules: [{ source: inside, pool: internet }]
                    expect:
                      - *refused
                      - event: { name: fw-a.nat-pool-exhausted, count: 1, after: new.start, before: failover }
                      - event: { name: fw-b.nat-pool-exhausted, count: 1, after: failover }
                      - frames: { on: server.outside, match: dst port 7 }
                        every: { ip.src: fw-a/internet.address, tcp.srcport: ">= 2000" }
                      - frames: { on: server.outside, match: dst port 7 }
                        every: { tcp.srcport: "<= 2015" }
                  table-with-nat:
                    shows: control
                    change:
                      nodes:
                        fw-a:
                          sessions: 64
                          nat:
                            pools: { internet: { addresses: outside.virtual-ip } }
                            rules: [{ source: inside, pool: internet }]
                        fw-b: { sessions: 64 }
                    expect:
                      - *refused
                      - event: { name: fw-a.nat-pool-exhausted, count: 0 }
                  table:
                    shows: control
                    change: { nodes: { fw-a: { sessions: 64 }, fw-b: { sessions: 64 } } }
                    expect:
                      # Without NAT nothing is owed to the sender, as of every other packet that no session passes.
                      - frames: { on: client.inside, match: icmp, after: new.start, control: { of: before } }
                        none:
                """)
            let pool = try #require(counters["pool"]?["fw-b"])
            #expect(pool["nat.mappings"] == 16)
            #expect(try #require(pool["drop.translation-ports-exhausted"]) > 10)
            #expect(pool["sync.records-refused"] == 0)
            for variant in ["table-with-nat", "table"] {
                let box = try #require(counters[variant]?["fw-b"])
                #expect(box["sessions"] == 64, "\(variant)")
                #expect(try #require(box["drop.flow-table-full"]) > 10, "\(variant)")
                #expect(box["nat.exhausted"] == 0, "\(variant)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `over a cross-connect that loses 30 percent every established session reaches the peer and survives`()
            throws
        {
            let counters = try run(
                """
                faults:
                  lossy: { on: fw-a.sync, do: { loss: 30% } }
                traffic:
                  tcp: { from: client, to: "server:7", kind: tcp-stream, flows: 8, every: 10ms, patience: 5s }
                  udp: { from: client, to: "server:7", kind: udp, flows: 8, every: 10ms, patience: 5s }
                  new: { from: client, to: "server:7", kind: tcp-connect, every: 4ms, patience: 2s }
                scenario:
                  - start: [tcp, udp, new]
                  - wait: 400ms
                  - stop: new
                  - wait: 400ms
                  - *power-off
                variants:
                  lossy:
                    shows: control
                    change:
                      nodes:
                        fw-a:
                          nat:
                            pools: { internet: { addresses: outside.virtual-ip } }
                            rules: [{ source: inside, pool: internet }]
                    expect:
                      - tcp: { survives: true, lost: 0 }
                      - udp: { survives: true }
                      - new: { succeeds: true }
                      - *one-active
                      - event: { name: lossy.lost, count: "> 20" }
                      - frames: { on: server.outside, match: dst port 7 }
                        every: { ip.src: fw-a/internet.address }
                """)
            let box = try #require(counters["lossy"]?["fw-b"])
            #expect(try #require(box["sessions"]) > 66)
            #expect(box["nat.granted"] == 0, "every mapping is the one that it was")
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a firewall pair does on its cross-connect and with it, in running labs.
    @Suite struct Pairs {
        private static let head = """
            schema: 1
            name: pair
            title: A firewall pair
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: GATEWAY }
              server: { role: backend, interfaces: { inside: 198.51.100.20 }, gateway: 198.51.100.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                url-categories: { reference: [example.org], shop: [192.0.2.0, shop.example] }
                redundancy:
                  { peer: fw-b, key: a secret, preempt: off, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 },
                    SETTINGS }
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
                redundancy: { peer: fw-a }

            """

        private func run(
            _ scenario: String, gateway: String = "192.0.2.1", settings: String = "heartbeat-every: 20ms",
            in folder: TemporaryFolder
        ) throws {
            let head = Self.head.replacingOccurrences(of: "GATEWAY", with: gateway)
                .replacingOccurrences(of: "SETTINGS", with: settings)
            let lab = folder.path + "/lab.yaml"
            try (head + scenario).write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        /// A counter of a box at the end of the newest run.
        private func counter(_ box: String, _ name: String, in folder: TemporaryFolder, variant: String) throws -> Int {
            let path = "\(folder.path)/runs/pair/latest/\(variant)/counters.json"
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]])
            let reading = try #require(all[box]?.first { $0["name"] as? String == name }, "no counter \(name)")
            return try #require(reading["value"] as? Int)
        }

        private func capture(_ name: String, in folder: TemporaryFolder, variant: String) throws -> Data {
            try Data(
                contentsOf: URL(fileURLWithPath: "\(folder.path)/runs/pair/latest/\(variant)/captures/\(name).pcap"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func
            `when the Active loses its link to the client, packets cross the passive box both ways and none is looked up there`()
            throws
        {
            let folder = try TemporaryFolder()
            try run(
                """
                traffic:
                  app: { from: client, to: "server:7", kind: tcp-stream, flows: 4, every: 10ms }
                scenario:
                  - start: app
                  - wait: 300ms
                  - { fail: { link-down: fw-a.outside }, as: cut }
                  - wait: 500ms
                variants:
                  conduit:
                    shows: remedy
                    expect:
                      - app: { survives: true, longest-gap: "< 500ms" }
                      - event: { name: fw-b.active, count: 0, after: app.start }
                      - frames: { on: fw-b.outside, of: app, direction: to-server, after: cut + 50ms }
                        some: { eth.dst: fw-b.outside.mac, ip.ttl: 64 }
                      - frames: { on: fw-a.sync, match: "proto gre", after: cut + 50ms }
                        some: { ip.src: fw-b.sync.ip, inner.ip.ttl: 64, inner.ip.dst: server.inside.ip, inner.tcp.len: "> 0" }
                      - frames: { on: fw-a.inside, of: app, direction: to-server, after: cut + 50ms }
                        every: { ip.ttl: 63 }
                      - frames: { on: fw-a.sync, match: "proto gre", after: cut + 50ms }
                        some: { ip.src: fw-a.sync.ip, inner.ip.ttl: 63, inner.ip.dst: client.outside.ip, inner.tcp.len: "> 0" }
                      - frames: { on: client.outside, of: app, direction: to-client, after: cut + 50ms }
                        every: { eth.src: fw-b.outside.mac, ip.ttl: 63 }
                """, gateway: "192.0.2.3",
                settings: "heartbeat-every: 20ms, conduit: on, track: { outside: 0, inside: 0 }", in: folder)
            #expect(try counter("fw-b", "sessions.lookups", in: folder, variant: "conduit") == 0)
            #expect(try counter("fw-b", "conduit.forwarded", in: folder, variant: "conduit") > 100)
            #expect(try counter("fw-b", "conduit.delivered", in: folder, variant: "conduit") > 50)
            #expect(try counter("fw-a", "conduit.received", in: folder, variant: "conduit") > 100)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `planned maintenance loses no probe of an existing flow`() throws {
            let folder = try TemporaryFolder()
            try run(
                """
                traffic:
                  probe: { from: client, to: "server:7", kind: udp, flows: 4, every: 1ms }
                scenario:
                  - start: probe
                  - wait: 300ms
                  - { fail: { switchover: fw-a }, as: maintenance }
                  - wait: 300ms
                variants:
                  planned:
                    shows: remedy
                    expect:
                      - probe: { survives: true, lost: 0 }
                      - event: { name: fw-b.active, count: 1, after: maintenance, within: 1s }
                """, settings: "conduit: on", in: folder)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a peer with another key is refused, and with the same key it is not`() throws {
            let folder = try TemporaryFolder()
            try run(
                """
                traffic:
                  app: { from: client, to: "server:7", kind: tcp-stream, every: 10ms }
                scenario:
                  - start: app
                  - wait: 200ms
                variants:
                  other-key:
                    shows: symptom
                    change: { nodes: { fw-b: { redundancy: { key: another } } } }
                    expect:
                      - app: survived
                      - event: { name: fw-b.peer-up, count: 0 }
                      - event: { name: fw-a.sync-complete, count: 0 }
                  same-key:
                    shows: control
                    expect:
                      - app: survived
                      - event: { name: fw-b.sync-refused, count: 0 }
                """, in: folder)
            for box in ["fw-a", "fw-b"] {
                #expect(try counter(box, "sync.discarded.wrong-authenticator", in: folder, variant: "other-key") > 5)
                #expect(try counter(box, "sync.discarded.wrong-authenticator", in: folder, variant: "same-key") == 0)
            }
            let events = try String(
                contentsOfFile: "\(folder.path)/runs/pair/latest/other-key/events.jsonl", encoding: .utf8)
            #expect(
                events.contains("fw-b.sync-refused") && events.contains("its authenticator was made with another key"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `with defer no SYN leaves before the peer has had time to acknowledge its record`() throws {
            try run(
                """
                faults:
                  slow: { on: fw-a.sync, do: { delay: 20ms } }
                traffic:
                  app: { from: client, to: "server:7", kind: tcp-stream, flows: 2, every: 10ms }
                scenario:
                  - start: app
                  - wait: 300ms
                variants:
                  deferred:
                    shows: remedy
                    expect:
                      - app: survived
                      - frames: { on: fw-a.outside, of: app, direction: to-server, after: app.start, within: 30ms }
                        some: { tcp.flags: SYN }
                      - frames: { on: fw-a.inside, of: app, direction: to-server, after: app.start, within: 38ms }
                        none:
                      - frames: { on: fw-a.inside, of: app, direction: to-server, after: app.start }
                        some: { tcp.flags: SYN }
                  at-once:
                    shows: control
                    change: { nodes: { fw-a: { redundancy: { defer: off } } } }
                    expect:
                      - app: survived
                      - frames: { on: fw-a.inside, of: app, direction: to-server, after: app.start, within: 38ms }
                        some: { tcp.flags: SYN }
                """, settings: "heartbeat-every: 50ms, defer: 200ms", in: TemporaryFolder())
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `what the first payload reveals crosses to the peer, and not a byte of the payload does`() throws {
            let folder = try TemporaryFolder()
            try run(
                """
                traffic:
                  web: { from: client, to: "server:80", kind: http-request, every: 20ms, path: /a-path-that-nobody-else-has }
                scenario:
                  - start: web
                  - wait: 400ms
                variants:
                  metadata:
                    shows: control
                    expect:
                      - web: survived
                """, in: folder)
            let known = try counter("fw-b", "sessions.application.http", in: folder, variant: "metadata")
            #expect(known >= 10)
            // What the client sent stands in the capture of its own link, and in none of the cross-connect.
            let payload = Data("a-path-that-nobody-else-has".utf8)
            let host = Data("Host: ".utf8)
            let own = try capture("client.outside", in: folder, variant: "metadata")
            #expect(own.range(of: payload) != nil && own.range(of: host) != nil)
            for box in ["fw-a", "fw-b"] {
                let cross = try capture("\(box).sync", in: folder, variant: "metadata")
                #expect(cross.count > 1000)
                #expect(cross.range(of: payload) == nil && cross.range(of: host) == nil)
                #expect(cross.range(of: Data("HTTP/1.1".utf8)) == nil)
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `two Actives that were cut off from each other know afterwards for how long they were two`() throws {
            let folder = try TemporaryFolder()
            try run(
                """
                faults:
                  cut-outside: { on: fw-b.outside, armed: off, do: drop }
                  cut-inside: { on: fw-b.inside, armed: off, do: drop }
                  cut-sync: { on: fw-b.sync, armed: off, do: drop }
                traffic:
                  app: { from: client, to: "server:7", kind: tcp-stream, every: 10ms }
                scenario:
                  - start: app
                  - wait: 100ms
                  - { fail: { arm: cut-sync }, as: sync-cut }
                  - { fail: { arm: cut-outside }, as: outside-cut }
                  - { fail: { arm: cut-inside }, as: all-cut }
                  - { wait-for: fw-b.active, within: 5s }
                  - wait: 500ms
                  - { fail: { disarm: cut-sync }, as: healed }
                  - { fail: { disarm: cut-outside }, as: outside-healed }
                  - { fail: { disarm: cut-inside }, as: inside-healed }
                  - { wait-for: fw-b.backup, within: 5s }
                variants:
                  everything-cut:
                    shows: symptom
                    expect:
                      - event: { name: fw-b.backup, count: 1, after: healed }
                      - event: { name: fw-b.dual-active-over, count: 1, after: healed }
                """, in: folder)
            let events = try String(
                contentsOfFile: "\(folder.path)/runs/pair/latest/everything-cut/events.jsonl", encoding: .utf8)
            let line = try #require(events.split(separator: "\n").first { $0.contains("\"fw-b.dual-active-over\"") })
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let details = try #require(event["details"] as? [String: String])
            let length = try #require(details["milliseconds"].flatMap(Double.init))
            // From the moment at which the second became Active, not from the one at which it heard of the first.
            #expect(length > 450, "\(details)")
        }
    }
}

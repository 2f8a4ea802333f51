import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Rules that change while traffic passes.
    @Suite struct Pushes {
        private static let lab = """
            schema: 1
            name: pushes
            title: Rules change while traffic passes
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
              server: { role: backend, interfaces: { inside: 198.51.100.10 }, gateway: 198.51.100.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                redundancy: { peer: fw-b, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
                objects: &objects { clients: outside, servers: server.inside.ip }
                rules: &rules
                  old: { action: allow, on: outside, from: clients, to: servers, protocol: tcp, ports: 7 }
                otherwise: deny
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
                objects: *objects
                rules: *rules
                otherwise: deny
            traffic:
              old: { from: client, to: "server:7", kind: tcp-stream, flows: 2, every: 10ms, patience: 500ms }
              new: { from: client, to: "server:9", kind: tcp-connect, every: 20ms, patience: 500ms }
            pushes:
              allow-new: { add: { objects: { asker: client.outside.ip }, rules: { new: { action: allow, from: asker, protocol: tcp, ports: 9 } } } }
              allow-typo: { add: { objects: { asker: client.outside.ip }, rules: { new: { action: allow, from: asker, protocol: tcp, ports: 90 } } } }
              no-old: { delete: { rules: old } }
              no-such: { delete: { rules: such } }

            """

        private func run(_ scenario: String) throws {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            try (Self.lab + scenario).write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a pair takes a new rule as one unit, the standby first, and a deletion the other way round`() throws {
            try run(
                """
                scenario:
                  - start: old
                  - wait: 300ms
                  - { push: { change: allow-new, to: fw-a, mode: unit }, as: added }
                  - start: new
                  - wait: 300ms
                  - { push: { change: no-old, to: fw-b, mode: unit }, as: deleted }
                  - wait: 700ms
                expect:
                  - frames: { on: client.outside, of: old, direction: to-client, after: added + 100ms, before: deleted }
                    count: "> 20"
                  - old: timed-out
                  - new: { succeeds: true }
                  - event: { name: fw-b.push-done, count: 1, after: added, within: 250ms }
                  - event: { name: fw-a.push-done, count: 1, after: fw-b.push-done, within: 250ms }
                  - frames: { on: server.inside, match: "tcp port 9", before: added }
                    none:
                  - frames: { on: server.inside, of: old, direction: to-server, after: deleted + 50ms }
                    none:
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `boxes that compare first activate what agrees and block what does not`() throws {
            try run(
                """
                scenario:
                  - start: old
                  - wait: 300ms
                  - { push: { change: { fw-a: allow-new, fw-b: allow-typo }, mode: agreement }, as: typo }
                  - wait-for: fw-b.push-blocked
                  - wait: 100ms
                  - { push: { change: allow-new, to: fw-a, mode: agreement }, as: mended }
                  - wait-for: fw-a.push-done
                  - start: new
                  - wait: 300ms
                expect:
                  - old: { survives: true, lost: 0 }
                  - new: { succeeds: true }
                  - event: { name: fw-a.push-blocked, count: 1, after: typo, within: 1s }
                  - event: { name: fw-b.push-blocked, count: 1, after: typo, within: 1s }
                  - event: { name: fw-a.push-done, count: 1, after: mended }
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a unit's push that the second box does not take reports which box has it`() throws {
            // What fw-b refuses keeps fw-a waiting for fw-b's word, and a box that waits takes nothing else.
            try run(
                """
                scenario:
                  - start: old
                  - wait: 300ms
                  - { push: { change: { fw-a: allow-typo, fw-b: no-such }, mode: agreement }, as: waiting }
                  - wait-for: fw-b.push-refused
                  - { push: { change: allow-new, to: fw-a, mode: unit }, as: half }
                  - wait-for: fw-a.push-incomplete
                expect:
                  - event: { name: fw-b.push-done, count: 1, after: half }
                  - event: { name: fw-a.push-refused, count: 1, after: half }
                  - event: { name: fw-a.push-done, count: 0 }
                  - event: { name: fw-a.push-incomplete, count: 1, after: half, with: { done: "fw-b: additions", missing: "fw-a: additions" } }
                """)
        }

        private static let pools = """
            schema: 1
            name: pools
            title: Pools come and go while sessions use them
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24 }
            nodes:
              client: { role: client, interfaces: { inside: 198.51.100.10 }, gateway: fw.inside }
              server: { role: backend, interfaces: { outside: 192.0.2.10 }, gateway: fw.outside }
              fw:
                role: firewall
                interfaces: { outside: 192.0.2.1, inside: 198.51.100.1 }
                nat:
                  pools: { internet: { addresses: outside.ip } }
                  rules: [{ source: inside, pool: internet }]
                  timers: { tcp-transitory: 200ms }
            traffic:
              early: { from: client, to: "server:7", kind: tcp-stream, flows: 2, every: 10ms, patience: 500ms }
              late: { from: client, to: "server:7", kind: tcp-stream, flows: 2, every: 10ms, patience: 500ms }
              last: { from: client, to: "server:7", kind: tcp-connect, every: 20ms, patience: 500ms }
            pushes:
              second: { add: { nat: { pools: { second: { addresses: 192.0.2.50 } }, rules: { second: { source: inside, pool: second, before: 1 } } } } }
              in-use: { delete: { nat: { pools: second } } }
              none: { delete: { nat: { pools: second, rules: second } } }
            scenario:
              - start: early
              - wait: 200ms
              - { push: { change: second, to: fw }, as: added }
              - { wait-for: fw.push-done }
              - start: late
              - wait: 200ms
              - { push: { change: in-use, to: fw }, as: refused }
              - { wait-for: fw.push-refused }
              - { push: { change: none, to: fw }, as: deleted }
              - { wait-for: fw.push-done }
              - start: last
              - wait: 300ms
              - stop: late
              - { wait-for: fw.nat-address-released, within: 5s }
              - wait: 100ms
            expect:
              - early: { survives: true, lost: 0 }
              - late: { survives: true, lost: 0 }
              - last: { succeeds: true }
              - event: { name: fw.push-done, count: 2 }
              - event: { name: fw.push-done, count: 1, after: deleted, with: { mappings-retired: 2 } }
              - event: { name: fw.push-refused, count: 1, after: refused, before: deleted }
              - event: { name: fw.nat-address-released, count: 1, with: { address: 192.0.2.50 } }
              - frames: { on: server.outside, match: arp, after: added }
                some: { arp.sender.ip: 192.0.2.50, arp.target.ip: 192.0.2.50, arp.sender.mac: fw.outside.mac }
              - frames: { on: server.outside, match: tcp and dst host 192.0.2.10, before: added }
                every: { ip.src: 192.0.2.1 }
              - frames: { on: server.outside, match: "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", after: late.start, before: deleted }
                every: { ip.src: 192.0.2.50 }
              - frames: { on: server.outside, match: "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", after: last.start }
                every: { ip.src: 192.0.2.1 }
              - frames: { on: server.outside, match: tcp and src host 192.0.2.50, after: deleted + 100ms }
                some: { tcp.len: "> 0" }
              - counter: { of: fw, name: nat.retired, is: 0 }
            """

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a pool that goes leaves its address to the sessions that have it, and then to nobody`() throws {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            try Self.pools.write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }
    }
}

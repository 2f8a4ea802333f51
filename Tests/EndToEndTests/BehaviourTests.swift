import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What boxes do in a running lab, each told as a lab file with its expectations.
    @Suite struct Behaviours {
        private static let pair = """
            schema: 1
            name: behaviour
            title: One behaviour
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: , servers: 203.0.113.0/24 }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                redundancy:
                  { peer: fw-b, priority: 200, preempt: PREEMPT, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
                redundancy: { peer: fw-a, priority: 100 }
              lb:
                role: load-balancer
                interfaces: { inside: 198.51.100.5, servers: 203.0.113.5 }
                gateway: 198.51.100.1
                virtual-services:
                  echo:
                    listen: 198.51.100.100:7
                    profile: tcp-fast-path
                    scheduler: SCHEDULER
                    pool: [backend-1:7, backend-2:7]
                    monitor: { kind: MONITOR, every: 50ms, timeout: 200ms, fall: 2, rise: 2 }
              backend-1: { role: backend, interfaces: { servers: 203.0.113.11 }, gateway: 203.0.113.5 }
              backend-2: { role: backend, interfaces: { servers: 203.0.113.12 }, gateway: 203.0.113.5 }
            traffic:
              existing: { from: client, to: lb/echo, kind: tcp-stream, flows: 4, every: 10ms }
              new: { from: client, to: lb/echo, kind: tcp-connect, every: 20ms }

            """

        private func run(
            _ scenario: String, preempt: String = "off", scheduler: String = "round-robin", monitor: String = "tcp"
        ) throws {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            let head = Self.pair.replacingOccurrences(of: "PREEMPT", with: preempt)
                .replacingOccurrences(of: "SCHEDULER", with: scheduler)
                .replacingOccurrences(
                    of: "kind: MONITOR", with: monitor == "http" ? "kind: http, port: 81" : "kind: tcp")
            try (head + scenario).write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a box that returns takes the addresses back when it may preempt, and flows survive both failovers`()
            throws
        {
            try run(
                """
                scenario:
                  - start: [existing]
                  - wait: 300ms
                  - fail: { power-off: fw-a }
                  - { wait-for: fw-b.active, within: 5s }
                  - wait: 300ms
                  - fail: { power-on: fw-a }
                  - { wait-for: fw-a.active, within: 10s }
                  - wait: 300ms
                variants:
                  preempt:
                    shows: remedy
                    expect:
                      - existing: survived
                      - event: { name: fw-b.active, count: 1 }
                      - event: { name: fw-b.backup, count: 1, after: power-on }
                """, preempt: "on")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a box that returns stays backup when it may not preempt`() throws {
            try run(
                """
                scenario:
                  - start: [existing]
                  - wait: 200ms
                  - fail: { power-off: fw-a }
                  - { wait-for: fw-b.active, within: 5s }
                  - fail: { power-on: fw-a }
                  - { wait-for: fw-a.sync-complete, within: 10s }
                  - wait: 1s
                variants:
                  no-preemption:
                    shows: control
                    expect:
                      - existing: survived
                      - event: { name: fw-a.active, count: 0, after: power-on }
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a pulled cable hands the addresses to the peer`() throws {
            try run(
                """
                scenario:
                  - start: [existing]
                  - wait: 200ms
                  - fail: { link-down: fw-a.inside }
                  - { wait-for: fw-b.active, within: 5s }
                  - wait: 500ms
                variants:
                  link-down:
                    shows: remedy
                    expect:
                      - existing: { survives: true, longest-gap: "< 1s" }
                      - frames: { on: fw-a.inside, of: existing, after: fw-b.active + 50ms }
                        none:
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a box that comes back with a pulled cable takes nothing over`() throws {
            try run(
                """
                scenario:
                  - start: [existing]
                  - wait: 200ms
                  - fail: { link-down: fw-a.inside }
                  - { wait-for: fw-b.active, within: 5s }
                  - fail: { power-off: fw-a }
                  - wait: 200ms
                  - fail: { power-on: fw-a }
                  - { wait-for: fw-a.sync-complete, within: 10s }
                  - wait: 1s
                variants:
                  pulled-cable:
                    shows: control
                    expect:
                      - existing: survived
                      - event: { name: fw-a.active, count: 0, after: power-on }
                """, preempt: "on")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: ["tcp", "http"])
        func `a monitor takes a dead member out of its pool and brings it back`(monitor: String) throws {
            try run(
                """
                scenario:
                  - start: [new]
                  - wait: 200ms
                  - fail: { power-off: backend-1 }
                    as: death
                  - { wait-for: lb.member-down, within: 10s }
                  - wait: 400ms
                  - fail: { power-on: backend-1 }
                    as: return
                  - { wait-for: lb.member-up, within: 10s }
                  - wait: 400ms
                variants:
                  monitored:
                    shows: remedy
                    expect:
                      - new: { succeeds: true, after: lb.member-down, before: return }
                      - new: { succeeds: true, after: lb.member-up }
                      - frames: { on: backend-1.servers, match: "tcp dst port 7 and src portrange 10240-32767", after: lb.member-up }
                        some: { tcp.flags: SYN }
                """, monitor: monitor)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `consistent hash sends one client port to one member, and many ports to all`() throws {
            try run(
                """
                scenario:
                  - start: [new]
                  - wait: 1s
                variants:
                  hashed:
                    shows: control
                    expect:
                      - new: { succeeds: true }
                      - frames: { on: backend-1.servers, match: "tcp[tcpflags] & tcp-syn != 0 and dst port 7 and src portrange 10240-32767" }
                        some:
                      - frames: { on: backend-2.servers, match: "tcp[tcpflags] & tcp-syn != 0 and dst port 7 and src portrange 10240-32767" }
                        some:
                """, scheduler: "consistent-hash")
        }

        @Test(.enabled(if: Host.canRunLabs && Package.tool("script") != nil, "needs script(1) for a terminal"))
        func `a shell inside a node has the caller's terminal, and ends with its exit code`() throws {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Lab.fastPath], in: folder)
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            let command = "SHELL=/bin/sh \(Package.failoverlab) shell --lab \(id) client"
            let shell = try Command.run(
                "/bin/sh",
                [
                    "-c",
                    "printf 'test -t 0 && echo terminal; ip -o -4 addr show outside; exit 3\\n' | script -qec '\(command)' /dev/null",
                ],
                in: folder.path)
            #expect(shell.status == 3, "\(shell.output)\(shell.errors)")
            #expect(shell.output.contains("192.0.2.10/24"), "\(shell.output)")
            #expect(shell.output.contains("terminal\r\n"), "\(shell.output)")
        }
    }
}

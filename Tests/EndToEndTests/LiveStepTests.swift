import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Steps on nodes of a running lab, of a scenario and by the command.
    @Suite struct StepsOnNodes {
        private static let hasNginx = Package.tool("nginx") != nil

        private static let lab = """
            schema: 1
            name: live-steps
            networks: { lan: 192.0.2.0/24, wan: 198.51.100.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: 192.0.2.10 }, gateway: r1.lan }
              r1: { role: router, interfaces: { lan: 192.0.2.1, wan: 198.51.100.1 } }
              r2: { role: router, interfaces: { lan: 192.0.2.2, wan: 198.51.100.2 } }
              server:
                role: backend
                interfaces: { wan: 198.51.100.10 }
                gateway: r1.wan
                programs:
                  nginx:
                    listen: 80
                    config: |
                      pid /run/nginx.pid;
                      error_log stderr notice;
                      events { worker_connections 64; }
                      http { access_log off; server { listen 80; location / { return 200; } } }
                    events: { reloaded: "reconfiguring", stopped: "gracefully shutting down" }
            traffic:
              app: { from: client, to: "server:80", kind: http-request, every: 20ms }
            scenario:
              - start: app
              - wait-for: app.answered
              - { route: { server: replace default via r2.wan }, as: back }
              - { route: { client: replace 198.51.100.0/24 via r2.lan }, as: moved }
              - { sysctl: { r1: { net.ipv4.ip_forward: 0 } }, as: r1-stops }
              - { exec: { r1: [cat, /proc/sys/net/ipv4/ip_forward] }, as: forwarding }
              - { wait: 200ms }
              - { sysctl: { r1: { net.ipv4.ip_forward: 1 } }, as: r1-forwards }
              - { address: { server.lo: add 203.0.113.9 }, as: further }
              - { route: { client: add default via r2.lan table 77 }, as: table }
              - { rule: { client: add preference 100 to 203.0.113.9 table 77 }, as: rule }
              - { exec: { client: "ip route get 203.0.113.9 | grep -o 'via 192.0.2.2 dev lan table 77'" }, as: by-rule }
              - { rule: { client: delete preference 100 }, as: no-rule }
              - { exec: { client: "ip route get 203.0.113.9 | grep table" }, exit: 1, as: not-by-rule }
              - { clear: server }
              - { signal: { server/nginx: HUP }, as: reload }
              - wait-for: server/nginx.reloaded
              - { exec: { server: cat /run/nginx.pid }, as: pid }
              - stop: app
              - { restart: server/nginx }
              - { signal: { server/nginx: QUIT }, as: stop }
              - wait-for: server/nginx.ended
            expect:
              - app: { succeeds: true }
              - frames: { on: client.lan, of: app, direction: to-server, after: moved + 50ms }
                every: { eth.dst: r2.lan.mac }
              - { event: { name: forwarding.exited, with: { exit: 0, line: 0 } } }
              - { event: { name: by-rule.exited, with: { line: via 192.0.2.2 dev lan table 77 }, after: rule } }
              - { event: { name: not-by-rule.exited, with: { exit: 1 }, after: no-rule } }
              - { event: { name: server/nginx.started, after: restart, count: 1 } }
              - { event: { name: server/nginx.ended, with: { reason: exited with code 0 }, after: restart, count: 2 } }
            """

        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        @Test(.enabled(if: Host.canRunLabs && hasNginx, "this host cannot run labs, or lacks nginx"))
        func `routes, addresses, rules, settings and programs change in the middle of a scenario`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(Self.lab, in: folder)] + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs && hasNginx, "this host cannot run labs, or lacks nginx"))
        func `a command that fails, prints without end or never ends, ends the run with its first lines`() throws {
            let folder = try TemporaryFolder()
            let scenario = try #require(Self.lab.range(of: "scenario:\n"))
            func run(_ step: String) throws -> CommandResult {
                let text =
                    Self.lab[..<scenario.upperBound]
                    + "  - { start: app }\n  - \(step)\nexpect: [{ app: { succeeds: true } }]\n"
                return try Lab.failoverlab(["run", Self.write(String(text), in: folder)], in: folder)
            }
            let failed = try run("exec: { client: echo first; echo second >&2; exit 4 }")
            #expect(failed.status == 3)
            #expect(failed.errors.contains("ended with exit code 4, not 0: first / second"), "\(failed.errors)")
            let endless = try run("{ exec: { client: yes }, within: 300ms }")
            #expect(endless.status == 3)
            #expect(
                endless.errors.contains("'yes' took longer than 0.3 seconds, and was killed: y / y / y"),
                "\(endless.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs && hasNginx, "this host cannot run labs, or lacks nginx"))
        func `the command carries the same steps out, and refuses what cannot be`() throws {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Self.write(Self.lab, in: folder)], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            func call(_ words: String...) throws -> CommandResult {
                try Lab.failoverlab([words[0], "--lab", id] + words.dropFirst(), in: folder)
            }
            func exec(_ words: String...) throws -> String {
                try Lab.failoverlab(["exec", "--lab", id] + words, in: folder).output
            }
            for step in [
                ["sysctl", "r1", "net.ipv4.ip_forward=0"], ["route", "client", "replace", "default", "via", "r2.lan"],
                ["address", "client.lo", "add", "203.0.113.7/32"],
                ["rule", "client", "add", "preference", "9", "table", "77"],
                ["clear", "r1"], ["signal", "server/nginx", "HUP"], ["restart", "server/nginx"],
                ["exec", "client", "--exit", "7", "--as", "seven", "--", "sh", "-c", "exit 7"],
            ] {
                let done = try Lab.failoverlab(["do", "--lab", id] + step, in: folder)
                #expect(done.status == 0, "\(step): \(done.errors)")
            }
            #expect(try exec("r1", "--", "sysctl", "-n", "net.ipv4.ip_forward") == "0\n")
            #expect(try exec("client", "--", "ip", "route", "show", "default").contains("via 192.0.2.2"))
            #expect(try exec("client", "--", "ip", "addr", "show", "lo").contains("203.0.113.7/32"))
            #expect(try exec("client", "--", "ip", "rule").contains("9:\tfrom all lookup 77"))
            #expect(try exec("client", "--", "hostname") == "client\n")
            #expect(try exec("client", "--", "sh", "-c", "echo \"$PATH\"").contains("/usr/sbin"))
            let events = try FileManager.default.subpaths(atPath: folder.path)?.first { $0.hasSuffix("events.jsonl") }
            let text = try String(contentsOfFile: folder.path + "/" + #require(events), encoding: .utf8)
            #expect(text.contains("\"seven.exited\"") && text.contains("\"server/nginx.started\""))

            for (step, status, reason) in [
                (["reboot", "client"], 2, "there is no step 'reboot'"), (["exec", "clint", "ls"], 2, "no node"),
                (["exec", "client", "false"], 3, "'false' ended with exit code 1, not 0"),
                (["exec", "client", "--", "no-such-program", "-x"], 3, "'no-such-program' is not installed"),
                (["sysctl", "client", "kernel.panic=1"], 2, "no setting of a network namespace"),
                (["sysctl", "client", "net.ipv4.no_such=1"], 3, "no such setting"),
                (["route", "client", "delete", "10.9.0.0/16"], 3, "cannot delete route 10.9.0.0/16"),
                (["address", "client.wan", "add", "10.0.0.1"], 2, "is no interface of"),
                (["signal", "server/bird", "HUP"], 2, "no program of a node"),
            ] {
                let refused = try Lab.failoverlab(["do", "--lab", id] + step, in: folder)
                #expect(
                    refused.status == status && refused.errors.contains(reason), "\(refused.status) \(refused.errors)")
            }
            #expect(try call("fail", "power-off", "r1").status == 0)
            let off = try call("do", "sysctl", "r1", "net.ipv4.ip_forward=1")
            #expect(off.status == 3 && off.errors.contains("it is powered off"), "\(off.errors)")
            let gone = try call("do", "signal", "server/nginx", "QUIT")
            #expect(gone.status == 0, "\(gone.errors)")
        }
    }
}

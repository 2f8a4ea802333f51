import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Programs of Debian's as traffic, run in a client.
    @Suite struct ClientPrograms {
        private static let hasPrograms = ["curl", "dig", "openssl", "nginx", "dnsmasq"].allSatisfy {
            Package.tool($0) != nil
        }

        /// nginx behind which one of two members has died, a DNS server, and a port with TLS.
        private static let lab = """
            schema: 1
            name: clients
            networks: { net: { subnet: [192.0.2.0/24, "2001:db8::/64"], switch: on } }
            nodes:
              client: { role: client, interfaces: { net: [192.0.2.10, "2001:db8::10"] } }
              proxy:
                role: backend
                interfaces: { net: [192.0.2.20, "2001:db8::20"] }
                programs:
                  nginx:
                    listen: 80
                    config: |
                      worker_processes 1;
                      pid /run/nginx.pid;
                      error_log stderr;
                      events {}
                      http {
                        access_log off;
                        upstream members { server 192.0.2.31 max_fails=0; server 192.0.2.32 max_fails=0; }
                        server {
                          listen 80; listen [::]:80;
                          location / {
                            proxy_next_upstream off; proxy_connect_timeout 500ms; proxy_pass http://members;
                          }
                        }
                      }
                  dnsmasq: { records: { www.example.test: proxy.net.ip } }
              one: { role: backend, interfaces: { net: 192.0.2.31 }, services: { http: 80 } }
              two: { role: backend, interfaces: { net: 192.0.2.32 }, services: { http: 80 } }
              lb:
                role: load-balancer
                interfaces: { net: 192.0.2.5 }
                virtual-services:
                  secure: { listen: "192.0.2.100:443/tcp", profile: http, tls: on, pool: ["one:80"] }
            traffic:
              pages:
                from: client
                to: "proxy:80"
                kind: command
                run: [curl, -sSf, -w, 'status %{http_code} after %{time_total}\\n', "http://$to/"]
                output: ^status 200
                values: { time: 'after (?<value>[\\d.]+)', status: 'status (?<value>\\d+)' }
                every: 100ms
                patience: 5s
              six:
                from: client
                to: "proxy.net.ip6:80"
                kind: command
                run: curl -sS -o /dev/null "http://$to/" && echo "$HOME $PWD $(env | wc -l)"
                flows: 2
                output: "^/tmp /tmp [4-8]$"
                patience: 5s
              names:
                from: client
                to: "proxy:53"
                kind: command
                protocol: udp
                run: [dig, "@$to.address", -p, $to.port, +tries=1, +time=2, www.example.test]
                output: '^www\\.example\\.test\\..*192\\.0\\.2\\.20$'
                values: { time: 'Query time: (?<value>\\d+) msec' }
                every: 100ms
                count: 3
                patience: 5s
              secure:
                from: client
                to: lb/secure
                kind: command
                run: "openssl s_client -connect $to -brief </dev/null"
                output: "CONNECTION ESTABLISHED"
                patience: 5s
            scenario:
              - start: [pages, six, names, secure]
              - wait-for: secure.answered
              - wait-for: six.answered
              - wait: 500ms
              - { fail: { power-off: two }, as: gone }
              - wait: 1500ms
              - stop: [pages, six, names, secure]
            expect:
              - pages: { succeeds: true, values: { status: 200, time: "< 2" }, before: gone - 300ms }
              - { id: some-fail, pages: { lost: "> 2", after: gone } }
              - six: { succeeds: true, lost: 0 }
              - names: { succeeds: true, values: { time: "< 1000" } }
              - secure: survives
              - frames: { on: client.net, of: pages, direction: to-client, after: gone }
                some: { http.status: 504 }
              - frames: { on: client.net, of: names, direction: to-server }
                count: { is: 3, udp.dstport: 53 }
            """

        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private static func log(_ name: String, of lab: String, in folder: String) -> String {
            (try? String(contentsOfFile: "\(folder)/runs/\(lab)/latest/default/logs/\(name).log", encoding: .utf8))
                ?? ""
        }

        @Test(.enabled(if: Host.canRunLabs && hasPrograms, "this host cannot run labs, or lacks curl, dig or a server"))
        func `curl, dig and openssl are traffic, whose failures and figures agree with the captures`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(Self.lab, in: folder)] + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let pages = Self.log("client.pages", of: "clients", in: folder.path)
            #expect(pages.hasPrefix("failoverlab: run 1 at 20"), "\(pages.prefix(500))")
            #expect(pages.contains("failoverlab: run 1 exited with code 0\n"))
            #expect(pages.contains("curl: (22) The requested URL returned error: 504"))
            let traffic = try Lab.verdict(of: "clients", in: folder)["variants"] as? [[String: Any]]
            let entry = (traffic?.first?["traffic"] as? [[String: Any]])?.first { $0["name"] as? String == "pages" }
            let status = (entry?["values"] as? [String: [String: Any]])?["status"]
            #expect(status?["minimum"] as? Double == 200 && status?["maximum"] as? Double == 504, "\(entry ?? [:])")
            #expect((entry?["reason"] as? String)?.hasPrefix("exited with code 22, not 0; its last line is") == true)
        }

        @Test(
            .enabled(
                if: Host.isRoot && Host.canRunLabs && hasPrograms,
                "becoming another user needs root, and curl, dig and the servers"))
        func `an unprivileged user runs the same`() throws {
            let folder = try TemporaryFolder()
            let program = folder.path + "/failoverlab"
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            let home = folder.path + "/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            _ = try Self.write(Self.lab, in: folder)
            let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program]
            let result = try Command.run(
                try #require(Package.tool("setpriv")), user + ["run", "../lab.yaml"] + Lab.untilDecided, in: home)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        /// A small lab whose one command is another one each time.
        private static func small(_ run: String, _ more: String, scenario: String = "", expect: String) -> String {
            """
            schema: 1
            name: client
            networks: { net: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { net: 192.0.2.10 } }
              server: { role: backend, interfaces: { net: 192.0.2.20 }, services: { echo: 7/tcp } }
            traffic:
              app: { from: client, to: "server:7", kind: command, run: \(run)\(more) }
            scenario:
              - start: app
              - \(scenario.isEmpty ? "wait-for: app.answered" : scenario)
            expect:
              - \(expect)

            """
        }

        /// Of what stays undecided.
        private static let once = ["--rerun-inconclusive", "0"]

        private func run(
            _ text: String, options: [String] = Lab.untilDecided
        ) throws -> (result: CommandResult, log: String, reason: String) {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Self.write(text, in: folder)] + options, in: folder)
            let variants = try? Lab.verdict(of: "client", in: folder)["variants"] as? [[String: Any]]
            let traffic = (variants?.first?["traffic"] as? [[String: Any]])?.first
            return (
                result, Self.log("client.app", of: "client", in: folder.path), traffic?["reason"] as? String ?? ""
            )
        }

        /// What has sent something to the target first, so that its frames agree.
        private static let asks = "exec 3<>/dev/tcp/$to.address/$to.port; echo hello >&3; read -r answer <&3; "

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a program that is not installed ends the lab with code 4 before anything is built`() throws {
            let folder = try TemporaryFolder()
            let text = Self.small("[no-such-client, x]", "", expect: "app: survives")
            let result = try Lab.failoverlab(["run", Self.write(text, in: folder)], in: folder)
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("'no-such-client', which this lab runs in a node, is not installed here"))
            #expect(!result.errors.contains("'package' of the program"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `endless output is bounded, in time and in the log`() throws {
            let (result, log, reason) = try run(
                Self.small("[yes, \"\\e[31mred\"]", ", patience: 3s", expect: "app: timed-out"), options: Self.once)
            // Nothing was sent.
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            #expect(
                reason.hasPrefix("did not end within 3.0 seconds, and was ended by SIGTERM; its last line is"),
                "\(reason)")
            #expect(log.utf8.count < 100_000 && log.contains(" bytes left out …\n"), "\(log.utf8.count)")
            #expect(log.hasSuffix("failoverlab: run 1 was killed by signal 15 (Terminated)\n"))
            // The last line may be cut.
            #expect(!result.output.contains("\u{1b}"), "\(result.output)")
            #expect(result.output.contains("\\u{1b}") == reason.contains("\u{1b}"), "\(result.output)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `who ignores SIGTERM is killed, with all that it has started`() throws {
            let command = "trap '' TERM; sleep 600 & (setsid sleep 600 &) ; while true; do sleep 600; done"
            let (result, log, reason) = try run(
                Self.small("[bash, -c, \"\(command)\"]", ", patience: 2s", expect: "app: timed-out"), options: Self.once
            )
            // Nothing was sent.
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            #expect(reason.contains("did not end after SIGTERM, and was killed; it printed nothing"), "\(reason)")
            #expect(log.hasSuffix("failoverlab: run 1 was killed by signal 9 (Killed)\n"), "\(log)")
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            arguments: [
                ("[\"false\"]", "exited with code 1, not 0; it printed nothing"),
                ("[bash, -c, \"kill -SEGV $$\"]", "was killed by signal 11 (Segmentation fault)"),
                ("\"echo up; (sleep 600 &) ; exit 3\"", "exited with code 3, not 0; its last line is 'up'"),
                ("\"no-such-client --fast\"", "exited with code 127, not 0; its last line is"),
            ])
        func `a run that fails has its reason, and what it leaves behind keeps nobody waiting`(
            run command: String, reason wanted: String
        ) throws {
            let (result, _, reason) = try run(
                Self.small(command, ", patience: 20s", expect: "app: failed"), options: Self.once)
            // It may have failed for a reason that the network has no part in.
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("it sent nothing to its target"), "\(result.output)")
            #expect(reason.hasPrefix(wanted), "\(reason)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `success without a frame to the target is inconclusive, and with one it passes`() throws {
            let folder = try TemporaryFolder()
            let silent = try Lab.failoverlab(
                ["run", Self.write(Self.small("[\"true\"]", "", expect: "app: survives"), in: folder)], in: folder)
            #expect(silent.status == 5, "\(silent.output)\n\(silent.errors)")
            let words = silent.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("client.net.pcap has no frame to the server of it"), "\(silent.output)")
            let (result, _, _) = try run(
                Self.small("[bash, -c, '\(Self.asks)test \"$answer\" = hello']", "", expect: "app: survives"))
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        /// Sends datagrams without end.
        private static let ticks =
            "[bash, -c, \"while true; do echo x > /dev/udp/192.0.2.20/9; sleep 0.01; done\"]"

        /// Some have arrived.
        private static let ticking =
            "wait-for: { counter: { of: server, name: Udp.NoPorts, is: '>= 10' } }\n    as: ticking"

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a run hangs with its node, and goes on with it`() throws {
            let scenario = """
                \(Self.ticking)
                  - { fail: { hang: client }, as: hung }
                  - wait: 500ms
                  - { fail: { resume: client }, as: resumed }
                  - wait: 1s
                """
            let expect = """
                frames: { on: server.net, match: udp dst port 9, before: hung }
                    some:
                  - frames: { on: server.net, match: udp dst port 9, after: hung + 100ms, before: resumed }
                    none:
                  - frames: { on: server.net, match: udp dst port 9, after: resumed }
                    some:
                """
            let (result, log, _) = try run(
                Self.small(Self.ticks, ", patience: 5s", scenario: scenario, expect: expect))
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            #expect(log.hasSuffix("failoverlab: run 1 was killed by signal 15 (Terminated)\n"), "\(log.suffix(300))")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a run ends with its lab`() throws {
            // A number that no other process has.
            let seconds = "7\(getpid())"
            let command = "trap '' TERM; (setsid sleep \(seconds) &) ; while true; do sleep \(seconds); done"
            let folder = try TemporaryFolder()
            let text = Self.small(
                "[bash, -c, \"\(command)\"]", ", patience: 600s",
                scenario: "wait: 300ms\n  - { exec: { server: exit 3 } }", expect: "app: survives")
            let result = try Lab.failoverlab(["run", Self.write(text, in: folder)], in: folder)
            #expect(result.status == 3 && result.errors.contains("ended with exit code 3"), "\(result.errors)")
            let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter {
                (try? Lab.kernelText("/proc/\($0)/cmdline"))?.contains(seconds) == true
            }
            #expect(left.isEmpty, "\(left)")
        }
    }
}

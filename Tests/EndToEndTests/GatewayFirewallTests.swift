import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A gateway firewall alone between a client and a server: what it passes, what it refuses and how, and its table.
    @Suite struct GatewayFirewalls {
        /// - Parameter every: the cadence of new connections
        private static func lab(
            _ gateway: String, every: String = "50ms", _ scenario: String, _ expectations: String
        ) -> String {
            let isRouted = gateway.contains("mode: routed")
            return """
                schema: 1
                name: gateway
                networks: { outside: 192.0.2.0/24, inside: \(isRouted ? "198.51.100.0/24" : "") }
                nodes:
                  client:
                    role: client
                    interfaces: { outside: 192.0.2.10 }
                    \(isRouted ? "gateway: gw.outside" : "")
                  gw:
                    role: gateway-firewall
                    interfaces: \(isRouted ? "{ outside: 192.0.2.1, inside: 198.51.100.1 }" : "{ outside: , inside: }")
                    \(gateway)
                  server:
                    role: backend
                    interfaces: { inside: \(isRouted ? "198.51.100.10" : "192.0.2.20") }
                    \(isRouted ? "gateway: gw.inside" : "")
                traffic:
                  app: { from: client, to: "server:7", kind: tcp-stream, every: 20ms, patience: 2s }
                  new: { from: client, to: "server:80", kind: http-request, every: \(every), patience: 2s }
                \(scenario)
                variants:
                  one:
                    shows: control
                    expect:
                \(expectations)
                """
        }

        private func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/gateway.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private func run(
            _ gateway: String, every: String = "50ms", _ scenario: String, _ expectations: String
        ) throws {
            let folder = try TemporaryFolder()
            let text = Self.lab(gateway, every: every, scenario, expectations)
            let result = try Lab.failoverlab(["run", try write(text, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a scenario does not take what happened while its lab came up for what it waits for`() throws {
            let folder = try TemporaryFolder()
            let text = Self.lab(
                "mode: routed",
                """
                scenario:
                  - { wait-for: gw.ready, within: 300ms }
                """, "      - event: { name: gw.ready, count: 1 }")
            let result = try Lab.failoverlab(["run", try write(text, in: folder)], in: folder)
            // Code 5 where the machine was busy meanwhile.
            #expect(result.status == 3 || result.status == 5, "\(result.output)\n\(result.errors)")
            #expect(
                (result.output + result.errors).split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(
                    "'gw.ready', which did not happen; it happened before the scenario began, which does not count"),
                "\(result.output)\n\(result.errors)")
        }

        /// A crash of the gateway loses its states; connections that go on are then in mid-stream.
        private static func crash(thenWait wait: String) -> String {
            """
            scenario:
              - start: app
              - wait: 300ms
              - fail: { power-off: gw }
                as: crash
              - fail: { power-on: gw }
              - { wait-for: gw.ready, within: 10s }
              - start: new
              - wait: \(wait)
            """
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: ["transparent", "routed"])
        func `with loose pick-up connections survive its crash, of which it knows the middle only`(mode: String) throws
        {
            try run(
                "mode: \(mode)", Self.crash(thenWait: "800ms"),
                """
                      - app: survived
                      - new: survived
                      - event: { name: gw.state-created, after: crash, within: 3s }
                      - event: { name: gw.state-refused, count: 0 }
                      - id: \(mode == "routed" ? "it-is-a-hop" : "it-is-no-hop")
                        frames: { on: server.inside, of: app, direction: to-server }
                        every: { ip.ttl: \(mode == "routed" ? 63 : 64), eth.src: \(mode == "routed" ? "gw.inside.mac" : "client.outside.mac") }
                """)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: ["transparent", "routed"])
        func `with strict pick-up they do not, and new ones do`(mode: String) throws {
            try run(
                "mode: \(mode)\n    pick-up: strict", Self.crash(thenWait: "2500ms"),
                """
                      - app: timed-out
                      - new: survived
                      - id: nothing-of-the-old-one-passes
                        frames: { on: server.inside, of: app, direction: to-server, after: new.start }
                        none:
                """)
        }

        /// A FIN whose state is gone makes CLOSING:CLOSED; what the member sends after it does not fit.
        private static let lateFrames = """
            scenario:
              - start: new
              - { wait-for: late-fin.held, within: 10s }
              - wait: 200ms
              # Else the ends' kernels would answer the late FIN, and a reset would end what it makes.
              - fail: { arm: silence }
              - { wait-for: late-syn-ack.released, within: 10s }
              - wait: 100ms
            faults:
              silence: { on: server.inside, direction: to-server, armed: off, do: drop }
              late-fin:
                on: server.inside
                direction: from-server
                match: tcp src port 80
                class: fin
                occurrence: first
                do: { hold: { copy: on, until: 600ms } }
              late-syn-ack:
                on: server.inside
                direction: from-server
                match: tcp src port 80
                class: syn-ack
                occurrence: first
                do: { hold: { copy: on, until: 900ms } }
            """

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: ["drop", "reset", "icmp"],
            ["transparent", "routed"])
        func `a packet that does not fit its state is dropped, and its sender informed as the lab states`(
            outOfState: String, mode: String
        ) throws {
            let icmp =
                outOfState == "icmp"
                ? "count: { is: 1, icmp.type: 3, icmp.code: 3, ip.len: 56, inner.tcp.srcport: 80 }" : "none:"
            func control(of wanted: String) -> String {
                outOfState == wanted ? "" : ", control: { match: tcp src port 80 }"
            }
            let reset = outOfState == "reset" ? "count: { is: 1, tcp.srcport: { not: 80 } }" : "none:"
            try run(
                """
                mode: \(mode)
                    misfit: \(outOfState)
                    filter: { inside: inbound-only }
                    timers: { finwait: 100ms, closed: 50ms }
                """, every: "3s", Self.lateFrames,
                """
                      - new: survived
                      - id: the-late-fin-makes-the-entry
                        event: { name: gw.state-closing-closed, count: 1, after: late-fin.released, within: 500ms }
                      - id: the-late-syn-ack-does-not-fit
                        event:
                          name: gw.state-refused
                          with: { state: "CLOSING:CLOSED", packet: "SYN,ACK", action: \(outOfState) }
                          count: 1
                      - id: it-comes
                        frames: { on: gw.inside, match: "tcp src port 80", after: late-syn-ack.released - 20ms }
                        count: { is: 1, tcp.flags: SYN-ACK }
                      - id: and-does-not-pass
                        frames: { on: gw.outside, match: "tcp src port 80", after: late-syn-ack.released - 20ms }
                        none: { tcp.flags: SYN-ACK }
                      - id: icmp
                        frames: { on: gw.inside, match: icmp\(control(of: "icmp")) }
                        \(icmp)
                      - id: reset
                        frames: { on: gw.inside, match: "tcp[13] & 4 != 0", after: late-syn-ack.released - 20ms\(control(of: "reset")) }
                        \(reset)
                """)
        }

        // MARK: Tables of running boxes

        /// A connection that stays open inside a node, by bash alone, until the lab ends.
        private static func hold(
            _ target: String, in node: String, of lab: String, _ folder: TemporaryFolder
        ) throws -> Command {
            let command = try Command(
                Package.failoverlab,
                ["exec", "--lab", lab, node, "--", "bash", "-c", "exec 3<>/dev/tcp/\(target) && sleep 60"],
                in: folder.path)
            try command.start()
            return command
        }

        /// Asks until the table has such a line: packets take a moment.
        private static func line(
            _ pattern: String, ofTableOf node: String, in lab: String, _ folder: TemporaryFolder
        ) throws -> String? {
            let expression = try Regex(pattern)
            var output = ""
            for _ in 0..<200 {
                let result = try Lab.failoverlab(["connections", "--lab", lab, node], in: folder)
                #expect(result.status == 0, "\(result.errors)")
                output = result.output
                if let line = output.split(separator: "\n").first(where: { $0.contains(expression) }) {
                    return String(line)
                }
            }
            Issue.record("the table of \(node) has no line '\(pattern)': \(output)")
            return nil
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the table of a running gateway firewall shows CLOSING:CLOSED in the document's notation`() throws {
            let folder = try TemporaryFolder()
            let run = try Lab.failoverlab(
                ["run", Package.root + "/Labs/intermittent-502", "--variant", "auto-map", "--keep"], in: folder)
            let id = try #require(run.errors.firstMatch(of: /Still up: ([^ .]+)/)).1
            defer { _ = try? Lab.failoverlab(["down", String(id)], in: folder) }
            #expect(run.status == 0, "\(run.output)")
            _ = try Self.line(
                #"^10\.0\.0\.11:80 -> 10\.0\.0\.5:4000 dir in protocol tcp state CLOSING:CLOSED +on member +first-packet [0-9]+\.[0-9] s$"#,
                ofTableOf: "gw", in: String(id), folder)
            // What ends at the balancer's host side, its kernel knows.
            let client = try Self.hold("192.0.2.100/80", in: "client", of: String(id), folder)
            defer { client.process.terminate() }
            _ = try Self.line(
                #"^192\.0\.2\.10:\d+ -> 192\.0\.2\.100:80 protocol tcp state ESTABLISHED$"#, ofTableOf: "lb",
                in: String(id), folder)
            let json = try Lab.failoverlab(["connections", "--lab", String(id), "gw", "--format", "json"], in: folder)
            #expect(json.output.contains(#""state" : "CLOSING:CLOSED""#), "\(json.output)")
            let host = try Lab.failoverlab(["connections", "--lab", String(id), "client"], in: folder)
            #expect(host.status != 0)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the sessions of a firewall pair are in both tables, those of a balancer with what it makes of them`()
            throws
        {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Lab.fastPath], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            let client = try Self.hold("198.51.100.100/7", in: "client", of: id, folder)
            defer { client.process.terminate() }
            for firewall in ["fw-a", "fw-b"] {
                _ = try Self.line(
                    #"^192\.0\.2\.10:\d+ -> 198\.51\.100\.100:7 protocol tcp state ESTABLISHED:ESTABLISHED +[0-9.]+ s$"#,
                    ofTableOf: firewall, in: id, folder)
            }
            _ = try Self.line(
                #"^192\.0\.2\.10:\d+ -> 198\.51\.100\.100:7 protocol tcp state ANSWERED as [0-9.]+:\d+ -> [0-9.]+:7 +[0-9.]+ s$"#,
                ofTableOf: "lb", in: id, folder)
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Faults on single frames, proven from captures on both sides of the in-line element.
    @Suite struct Faults {
        /// Two hosts and one cable. The first program's connections end before the second's begin.
        private static let lab = """
            schema: 1
            name: late-fin
            title: A copy of a FIN is held until the next connection begins
            networks: { cable: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { cable: 192.0.2.10 } }
              server: { role: backend, interfaces: { cable: 192.0.2.20 } }
            traffic:
              early: { from: client, to: "server:7", kind: tcp-connect, every: 50ms, patience: 2s }
              later: { from: client, to: "server:1007", kind: tcp-connect, every: 50ms, patience: 2s }
            faults:
              late-fin:
                on: client.cable
                direction: to-server
                match: tcp dst port 7
                class: fin
                occurrence: { nth: 2 }
                do: { hold: { copy: on, until: { class: syn, match: tcp dst port 1007 } } }
            scenario:
              - start: early
              - wait: 400ms
              - stop: early
              - wait: 50ms
              - start: later
              - wait: 300ms
            expect:
              - early: { succeeds: true }
              - later: { succeeds: true }
              - event: { name: late-fin.held, count: 1 }
              - event: { name: late-fin.released, count: 1, after: later.start, within: 200ms }
              - id: the-original-passed
                frames: { on: client.cable.far, match: "tcp dst port 7", before: later.start }
                count: { is: "> 3", tcp.flags: FIN-ACK }
              - id: nothing-of-the-old-connection-arrived-late
                frames: { on: client.cable.near, match: "tcp dst port 7", after: later.start }
                none:
              - id: but-it-left-late-once
                frames: { on: client.cable.far, match: "tcp dst port 7 and tcp[13] & 1 != 0", after: later.start }
                count: 1
              - id: right-behind-the-new-syn
                frames: { on: client.cable.far, match: "dst port 7 or dst port 1007", after: later.start }
                sequence: [{ tcp.dstport: 1007, tcp.flags: SYN }, { tcp.dstport: 7, tcp.flags: FIN-ACK }, { tcp.dstport: 1007, tcp.flags: ACK }]
              - id: the-server-saw-what-left-the-element
                frames: { on: server.cable, match: "tcp dst port 7 and tcp[13] & 1 != 0", after: later.start }
                count: 1
            """

        private func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/fault.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a copy of a FIN leaves behind the next SYN, and captures before and after prove it`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", try write(Self.lab, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let verdict = try Lab.verdict(of: "late-fin", in: folder)
            let variant = try #require((verdict["variants"] as? [[String: Any]])?.first)
            let captures = try #require(variant["captures"] as? [[String: Any]]).compactMap { $0["path"] as? String }
            #expect(captures.contains { $0.hasSuffix("captures/client.cable.near.pcap") })
            #expect(captures.contains { $0.hasSuffix("captures/client.cable.far.pcap") })
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `without the fault the same expectations fail`() throws {
            let folder = try TemporaryFolder()
            let idle = Self.lab.replacingOccurrences(of: "occurrence: { nth: 2 }", with: "armed: off")
            let result = try Lab.failoverlab(["run", try write(idle, in: folder)] + Lab.untilDecided, in: folder)
            #expect(result.status == 1, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("but-it-left-late-once"), "\(result.output)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a person drops frames of a lab that is up, and a cable with an element can be pulled`() throws {
            let folder = try TemporaryFolder()
            let idle = Self.lab.replacingOccurrences(of: "occurrence: { nth: 2 }", with: "armed: off")
            let up = try Lab.failoverlab(["up", try write(idle, in: folder)], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            func fail(_ arguments: [String]) throws -> CommandResult {
                try Lab.failoverlab(["fail"] + arguments + ["--lab", id], in: folder)
            }
            /// The kernel of the server answers a SYN to a port without listener with RST: no program is needed.
            func isReachable(within seconds: String = "0.7") throws -> Bool {
                let ask = "timeout -s KILL \(seconds) bash -c 'exec 3<>/dev/tcp/192.0.2.20/7'"
                return try Lab.failoverlab(["exec", "--lab", id, "client", "--", "bash", "-c", ask], in: folder).status
                    == 0
            }
            #expect(try isReachable())
            // One SYN is lost: the next comes a second later.
            #expect(try fail(["drop", "client.cable", "--class", "syn", "--count", "1"]).status == 0)
            #expect(try !isReachable())
            #expect(try isReachable())
            #expect(
                try fail(["drop", "client.cable", "--match", "tcp port 7", "--direction", "to-client"]).status == 0)
            #expect(try !isReachable())
            #expect(try fail(["disarm", "drop"]).status == 0)
            #expect(try isReachable())
            #expect(try fail(["link-down", "client.cable"]).status == 0)
            #expect(try !isReachable())
            #expect(try fail(["link-up", "client.cable"]).status == 0)
            #expect(try isReachable(within: "5"))

            let mistake = try fail(["drop", "client.cable", "--class", "fim"])
            #expect(mistake.status != 0 && mistake.errors.contains("did you mean 'fin'?"), "\(mistake.errors)")
            let filter = try fail(["drop", "client.cable", "--match", "tcp and and"])
            #expect(filter.status != 0 && filter.errors.contains("not a capture filter"), "\(filter.errors)")
            let unknown = try fail(["arm", "no-such-fault"])
            #expect(unknown.status != 0 && unknown.errors.contains("late-fin"), "\(unknown.errors)")
            let surplus = try fail(["hang", "client", "--class", "fin"])
            #expect(surplus.status == 2, "\(surplus.errors)")
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Very many sessions through a failover: the lab of `Benchmarks/Labs`, with a tenth of its flows.
    @Suite struct `Many flows` {
        @Test(.enabled(if: Host.canRunLabs && TShark.path != nil, "this host cannot run labs, or has no tshark"))
        func
            `ten thousand synchronised sessions go on through the other box as what they were, and unsynchronised ones do not`()
            throws
        {
            let folder = try TemporaryFolder()
            let lab = Package.root + "/Benchmarks/Labs/hundred-thousand-sessions"
            let result = try Lab.failoverlab(
                ["run", lab, "--variant", "ten-thousand", "--variant", "without-synchronisation", "--jobs", "1"],
                in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let verdict = try Lab.verdict(of: "hundred-thousand-sessions", in: folder)
            let variants = try #require(verdict["variants"] as? [[String: Any]])
            #expect(variants.count == 2)
            let expectations = try #require(variants.first?["expectations"] as? [[String: Any]])
            let seen = expectations.first { $0["id"] as? String == "translated-alike" }?["seen"] as? String
            #expect(seen?.contains("10000 of them again, 0 missing") == true, "\(seen ?? "")")
            // What tshark reads in the captures, beside what the judge read: address, port and request's flow of each.
            let tshark = try #require(TShark.path)
            let captures = "\(folder.path)/runs/hundred-thousand-sessions/latest/ten-thousand/captures"
            func flows(_ capture: String) throws -> Set<String> {
                let text = try Command.run(
                    tshark,
                    [
                        "-r", "\(captures)/\(capture).pcap", "-Y", "udp.dstport == 7", "-T", "fields", "-e", "ip.src",
                        "-e",
                        "udp.srcport", "-e", "udp.payload",
                    ]
                ).output
                return Set(
                    text.split(separator: "\n").map { line in
                        let words = line.split(separator: "\t")
                        return words.count == 3
                            ? "\(words[0]) \(words[1]) \(words[2].dropFirst(24).prefix(8))" : "\(line)"
                    })
            }
            let (before, after) = (try flows("fw-a.wan"), try flows("fw-b.wan"))
            #expect(before.count == 10_000 && before == after)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a counter that does not get there ends the run and reports what it was`() throws {
            let folder = try TemporaryFolder()
            let lab = folder.path + "/lab.yaml"
            try """
            schema: 1
            name: waits
            networks: { outside: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 } }
              server: { role: backend, interfaces: { outside: 192.0.2.20 } }
            traffic:
              app: { from: client, to: "server:7", kind: udp, every: 20ms }
            scenario:
              - start: app
              - { wait-for: app.answered }
              - { wait-for: { counter: { of: server, name: Udp.InDatagrams, is: ">= 3" } }, as: three }
              - { wait-for: { counter: { of: server, name: Udp.InErrors, is: "> 0" } }, within: 200ms }
            variants: { v: { shows: control, expect: [{ event: three }, { event: app.answered }] } }

            """.write(toFile: lab, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 3)
            #expect(result.errors.contains("Udp.InErrors of server > 0; it was 0"), "\(result.errors)")
            let events = try String(contentsOfFile: "\(folder.path)/runs/waits/latest/v/events.jsonl", encoding: .utf8)
            #expect(events.contains("\"app.answered\"") && events.contains("\"three\""))
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What programs print and what happens in a lab has no end; its files and its memory have.
    @Suite struct Bounds {
        private static let mebibyte = 1 << 20

        /// The supervisor of a lab, by the folder that it writes to.
        private func supervisor(of lab: String, in folder: TemporaryFolder) throws -> Int32 {
            let runs = folder.path + "/runs/\(lab)/"
            return try #require(
                ProcessTree.all().first { entry in
                    let open = "/proc/\(entry.pid)/fd"
                    let files = (try? FileManager.default.contentsOfDirectory(atPath: open)) ?? []
                    return entry.name == "fl-supervisor"
                        && files.contains {
                            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(open)/\($0)"))?
                                .contains(runs) == true
                        }
                }?.pid)
        }

        /// The most memory that a process ever had, in bytes; nil of one that has ended.
        private func peak(of pid: Int32) -> Int? {
            let status = (try? Lab.kernelText("/proc/\(pid)/status")) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
        }

        /// A text report without the breaks of its lines.
        private func unwrapped(_ text: String) -> String {
            text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }

        private func size(_ path: String) throws -> Int {
            try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a program prints a gigabyte, and its log has the first and the newest of it`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            // The datagram says that all is printed; nobody listens there, which the kernel counts.
            let script =
                "echo this is the first line; yes 0123456789abcde | head -c 1073741824; echo this is the last line; echo over > /dev/udp/192.0.2.20/9; exec sleep 1000"
            try """
            schema: 1
            name: talkative
            networks: { cable: 192.0.2.0/24 }
            nodes:
              client:
                role: client
                interfaces: { cable: 192.0.2.10 }
                programs: { talk: { run: [bash, -c, '\(script)'] } }
              server: { role: backend, interfaces: { cable: 192.0.2.20 } }
            scenario:
              - { wait-for: { counter: { of: server, name: Udp.NoPorts, is: ">= 1" } }, as: over, within: 60s }
            expect:
              - event: { name: over, count: 1 }
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path, "--keep"], in: folder)
            let id = String(try #require(result.errors.firstMatch(of: /Still up: ([^ .]+)/)).1)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            try #require(result.status == 0, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/talkative/latest/default"
            let log = run + "/logs/client.talk.log"
            #expect(try size(log) <= 12 * Self.mebibyte + 200)
            let text = try String(contentsOfFile: log, encoding: .utf8)
            #expect(text.hasPrefix("this is the first line\n0123456789abcde\n"))
            #expect(text.hasSuffix("0123456789abcde\nthis is the last line\n"))
            let words = "--- failoverlab left out "
            let missing = try #require(
                text.components(separatedBy: words).dropFirst().first?.split(separator: " ").first.flatMap { Int($0) })
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(words) })
            #expect(text.utf8.count - line.utf8.count - 1 + missing == (1 << 30) + 23 + 22)
            let report = unwrapped(result.output)
            #expect(report.contains("logs/client.talk.log: \(missing) bytes ("), "\(result.output)")
            // Whole lines, of 16 bytes.
            let kept = report.firstMatch(of: /lines\) left out after the first ([0-9]+)/).flatMap { Int($0.1) }
            #expect((4 * Self.mebibyte - 32...4 * Self.mebibyte).contains(kept ?? 0), "\(result.output)")

            let supervisor = try self.supervisor(of: "talkative", in: folder)
            for process in [supervisor] + ProcessTree.descendants(of: supervisor).map(\.pid) {
                guard let peak = self.peak(of: process) else { continue }
                #expect(peak < 100 * Self.mebibyte, "\(process) had \(peak) bytes")
            }
            let check = try Lab.failoverlab(["check", folder.path + "/runs/talkative/latest"], in: folder)
            #expect(
                check.status == 0 && unwrapped(check.output).contains("logs/client.talk.log: \(missing) bytes"),
                "\(check.output)")
        }

        /// Each fault reports its first 1,000 frames.
        private static let faults = 60

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `more events than a run keeps leave the supervisor's memory alone, and what they may have been undecided`()
            throws
        {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            let faults = (1...Self.faults).map { "  slow-\($0): { on: client.cable, do: { delay: 10us } }" }
            try """
            schema: 1
            name: eventful
            networks: { cable: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { cable: 192.0.2.10 } }
              server: { role: backend, interfaces: { cable: 192.0.2.20 } }
            traffic:
              asking: { from: client, to: "server:7", kind: udp, flows: 10, every: 5ms, patience: 5s }
            faults:
            \(faults.joined(separator: "\n"))
            scenario:
              - start: asking
              - { wait-for: slow-\(Self.faults).quiet, within: 60s }
              - { fail: { link-up: client.cable }, as: nothing }
            expect:
              - { id: known, event: { name: slow-1.delayed, count: ">= 1" } }
              - { id: unknown, event: { name: slow-1.delayed, count: 1000 } }
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path, "--keep", "--rerun-inconclusive", "0"], in: folder)
            let id = String(try #require(result.errors.firstMatch(of: /Still up: ([^ .]+)/)).1)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            try #require(result.status == 5, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/eventful/latest"
            #expect(try size(run + "/default/events.jsonl") <= 16 * Self.mebibyte + 400)
            for words in ["events are missing in events.jsonl, which had grown to its limit", "events.jsonl: "] {
                #expect(unwrapped(result.output).contains(words), "\(result.output)")
            }
            let variants = try #require(Lab.verdict(of: "eventful", in: folder)["variants"] as? [[String: Any]])
            let expectations = try #require(variants.first?["expectations"] as? [[String: Any]])
            #expect(expectations.compactMap { $0["verdict"] as? String } == ["pass", "inconclusive"])
            #expect((variants.first?["integrity"] as? [String: Any])?["verdict"] as? String == "pass")
            let peak = try #require(self.peak(of: supervisor(of: "eventful", in: folder)))
            #expect(peak < 100 * Self.mebibyte, "the supervisor had \(peak) bytes")
            let check = try Lab.failoverlab(["check", run], in: folder)
            #expect(check.status == 5, "\(check.output)\n\(check.errors)")
            #expect(unwrapped(check.output).contains("events are missing in events.jsonl"), "\(check.output)")
        }
    }
}

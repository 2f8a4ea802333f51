import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Variants beside each other, and what a busy machine does to them.
    @Suite struct Waves {
        /// A part of `verdict.json`, as anyone would read it.
        private static func variants(of lab: String, in folder: TemporaryFolder) throws -> [[String: Any]] {
            try #require(try Lab.verdict(of: lab, in: folder)["variants"] as? [[String: Any]])
        }

        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private static func attempts(_ variant: [String: Any]) -> [[String: Any]] {
            variant["earlierAttempts"] as? [[String: Any]] ?? []
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `no lab is built while another one plays`() throws {
            let folder = try TemporaryFolder()
            let names = (1...5).map { "copy-\($0)" }
            let text = SmallCable.lab("waves").replacingOccurrences(
                of: "  plain: { shows",
                with: names.dropLast().map {
                    "  \($0): { shows: control, expect: [{ event: { name: nothing, count: 1 } }] }\n"
                }.joined() + "  \(names.last!): { shows")
            let result = try Lab.failoverlab(
                ["run", try Self.write(text, in: folder), "--jobs", "2"], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")

            struct Times {
                var built: String
                var played: ClosedRange<String>
            }
            // Times of one form compare as text.
            let times = try names.map { name -> Times in
                let run = "\(folder.path)/runs/waves/latest/\(name)"
                let facts = try #require(
                    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: run + "/run.json")))
                        as? [String: Any])
                let events = try String(contentsOfFile: run + "/events.jsonl", encoding: .utf8)
                    .split(separator: "\n")
                    .compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
                func time(_ event: String) throws -> String {
                    try #require(events.first { $0["name"] as? String == event }?["time"] as? String)
                }
                return Times(
                    built: try #require(facts["started"] as? String),
                    played: try time("asking.start")...(try time("asking.stop")))
            }
            for one in times {
                for other in times { #expect(!one.played.contains(other.built), "\(times)") }
            }
            // Two beside each other, as they were asked for.
            let pairs = times.indices.flatMap { a in times.indices.filter { $0 > a }.map { (a, $0) } }
            #expect(pairs.count { times[$0].played.overlaps(times[$1].played) } == 2, "\(times)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `what nothing decides runs twice more, and every attempt is kept`() throws {
            let folder = try TemporaryFolder()
            // No event has such a detail: that decides nothing, however often.
            let lab = try Self.write(
                SmallCable.lab("undecided").replacingOccurrences(
                    of: "name: nothing, count: 1", with: "name: nothing, with: { unheard-of: 1 }, count: 1"),
                in: folder)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("attempt 2 was inconclusive: "), "\(result.output)")
            let attempts = Self.attempts(try Self.variants(of: "undecided", in: folder)[0])
            let run = folder.path + "/runs/undecided/latest"
            #expect(
                attempts.compactMap { $0["folder"] as? String } == ["inconclusive/plain-1", "inconclusive/plain-2"])
            for attempt in ["plain", "inconclusive/plain-1", "inconclusive/plain-2"] {
                #expect(FileManager.default.fileExists(atPath: "\(run)/\(attempt)/captures/client.cable.near.pcap"))
            }
            // What is judged again later is the last attempt.
            let check = try Lab.failoverlab(["check", run, "--format", "json"], in: folder)
            #expect(
                check.status == 5 && check.output.components(separatedBy: "\"shows\"").count == 2, "\(check.output)")

            let never = try Lab.failoverlab(["run", lab, "--rerun-inconclusive", "0"], in: folder)
            #expect(never.status == 5 && !never.output.contains("attempt"), "\(never.output)\n\(never.errors)")
            let wrong = try Lab.failoverlab(["run", lab, "--rerun-inconclusive", "-1"], in: folder)
            #expect(wrong.status == 2, "\(wrong.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a process that the machine kept from running makes no verdict, and the variant runs again`() throws {
            let folder = try TemporaryFolder()
            let lab = try Self.write(
                SmallCable.lab("kept-waiting", wait: "3s").replacingOccurrences(
                    of: "[{ event: { name: nothing, count: 1 } }]",
                    with: "[{ asking: { survives: true, longest-gap: \"< 400ms\" } }]"
                ).replacingOccurrences(
                    of: "- start: asking\n",
                    with: "- start: asking\n  - wait: 200ms\n  - { fail: { link-up: client.cable }, as: answered }\n"),
                in: folder)
            let command = try Command(Package.failoverlab, ["run", lab], in: folder.path)
            try command.start()
            // Stopped from outside, as a machine does that gives a process no time: no fault of the scenario.
            let client = try #require(
                Self.process("fl-client", below: command.process.processIdentifier) {
                    let events = try? String(
                        contentsOfFile: folder.path + "/runs/kept-waiting/latest/plain/events.jsonl", encoding: .utf8)
                    // A gap lies between two answers: before the first one nothing is late.
                    return events?.contains(#""answered""#) == true
                })
            kill(client, SIGSTOP)
            usleep(800_000)
            kill(client, SIGCONT)
            let result = command.finish()
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let attempts = Self.attempts(try Self.variants(of: "kept-waiting", in: folder)[0])
            let reason = try #require(attempts.first?["reason"] as? String)
            #expect(reason.contains("the machine was busy: client ran "), "\(reason)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: ["fl-supervisor", "fl-warden"])
        func `a limit of time ends a lab whose processes hang`(_ name: String) throws {
            let folder = try TemporaryFolder()
            let lab = try Self.write(SmallCable.lab("hanging", wait: "60s"), in: folder)
            let command = try Command(Package.failoverlab, ["run", lab, "--timeout", "2"], in: folder.path)
            let began = ContinuousClock.now
            try command.start()
            let hung = try #require(Self.process(name, below: command.process.processIdentifier) { true })
            kill(hung, SIGSTOP)
            let result = command.finish()
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("it took longer than 2"), "\(result.output)")
            #expect(ContinuousClock.now - began < .seconds(30))
        }

        /// Waits, for at most 10 seconds, until a process of that name is there and something holds.
        private static func process(_ name: String, below root: Int32, when holds: () -> Bool) -> Int32? {
            for _ in 0..<1000 {
                if let process = ProcessTree.descendants(of: root).first(where: { $0.name == name }), holds() {
                    return process.pid
                }
                usleep(10_000)
            }
            return nil
        }
    }
}

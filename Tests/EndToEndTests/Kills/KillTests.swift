import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// However a lab ends, nothing of it is left but its run's folder.
    @Suite struct Kills {
        /// Labs beside each other; most of a kill's time is spent waiting.
        private static let workers = 6
        /// So much longer a phase takes beside the others.
        private static let stretch = 1.3

        /// What was hit so far.
        private struct Tally {
            var next = 0
            var hits = 0
            var phases: [KillKind: [KillKind.Phase: Int]] = [:]
            var victims: [String: Int] = [:]
            var problems: [String] = []
        }

        /// Kills at random moments of every phase of every kind of life, each time another process of the lab.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `nothing is left after 200 kills at random moments`() throws {
            let kills = ProcessInfo.processInfo.environment["FAILOVERLAB_KILLS"].flatMap(Int.init) ?? 200
            let seed = ProcessInfo.processInfo.environment["FAILOVERLAB_SEED"].flatMap(UInt64.init) ?? 20_261_121
            print("kills: \(kills), seed \(seed)")
            let folder = try TemporaryFolder()
            var lengths: [KillKind: [KillKind.Phase: Double]] = [:]
            for kind in KillKind.allCases {
                let (found, result) = try KillAttempt.lengths(of: kind, in: folder.path)
                // A census that counts nothing left, of a lab that came to its end: the test's own control.
                try #require(result.status == 0 && result.errors.contains("left 0"), "\(result.output)\(result.errors)")
                lengths[kind] = found.mapValues { $0 * Self.stretch }
            }
            let measured = lengths
            let linksBefore = try hostLinks()
            let mountsBefore = try Lab.kernelText("/proc/self/mounts")
            let tally = Mutex(Tally())
            let work: @Sendable () -> Void = {
                // A moment at which nothing is alive any more kills nothing, and does not count.
                while let attempt = tally.withLock({ Self.next(&$0, of: kills, seed: seed, lengths: measured) }) {
                    do {
                        let outcome = try attempt.carryOut(in: folder.path)
                        tally.withLock { Self.note(outcome, of: attempt.kind, in: &$0) }
                    } catch {
                        tally.withLock { $0.problems.append("kill \(attempt.number) of seed \(seed): \(error)") }
                    }
                }
            }
            let group = DispatchGroup()
            for _ in 0..<Self.workers {
                group.enter()
                Thread.detachNewThread {
                    work()
                    group.leave()
                }
            }
            group.wait()
            let result = tally.withLock { $0 }
            print(
                "killed: \(result.victims.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
            )
            for kind in KillKind.allCases {
                let phases = KillKind.Phase.allCases.map { ($0, result.phases[kind]?[$0] ?? 0) }
                print("  \(kind.rawValue): \(phases.map { "\($0.0.rawValue) \($0.1)" }.joined(separator: ", "))")
                for (phase, count) in phases {
                    #expect(count > 0, "\(kind.rawValue) was never hit while \(phase.rawValue)")
                }
            }
            for problem in result.problems { Issue.record("\(problem)") }
            #expect(result.victims.count > 5)
            #expect(try processesWithFolder(folder.path).isEmpty)
            #expect(try hostLinks() == linksBefore)
            #expect(try Lab.kernelText("/proc/self/mounts") == mountsBefore)
            #expect(!(try Lab.kernelText("/proc/net/unix")).contains("/\(KillAttempt.prefix)"))
        }

        /// Kinds and phases take turns.
        private static func next(
            _ tally: inout Tally, of kills: Int, seed: UInt64, lengths: [KillKind: [KillKind.Phase: Double]]
        ) -> KillAttempt? {
            // Something is wrong where so many find nothing to kill.
            guard tally.hits < kills, tally.next < kills * 3 else { return nil }
            let (kinds, phases) = (KillKind.allCases, KillKind.Phase.allCases)
            let kind = kinds[tally.next % kinds.count]
            let aim = phases[tally.next / kinds.count % phases.count]
            defer { tally.next += 1 }
            return KillAttempt(number: tally.next, seed: seed, kind: kind, aim: aim, lengths: lengths[kind] ?? [:])
        }

        private static func note(_ outcome: KillAttempt.Outcome, of kind: KillKind, in tally: inout Tally) {
            tally.problems += outcome.problems
            tally.victims[outcome.victim ?? "nothing", default: 0] += 1
            guard outcome.victim != nil else { return }
            tally.hits += 1
            tally.phases[kind, default: [:]][outcome.phase, default: 0] += 1
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the census counts a namespace that is left`() throws {
            // Without this control, a census that always said 0 would pass for proof.
            let folder = try TemporaryFolder()
            let held = try Command.run(
                Package.product("census"), ["8", "0", "/bin/sh", "-c", "unshare --net sleep 6 & exec sleep 0.2"],
                in: folder.path)
            #expect(held.status == 99)
            #expect(held.errors.contains("left 1"))
        }

        private func hostLinks() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net").sorted()
        }

        private func processesWithFolder(_ path: String) throws -> [Int32] {
            ProcessTree.all().filter { process in
                guard let command = FileManager.default.contents(atPath: "/proc/\(process.pid)/cmdline") else {
                    return false
                }
                return String(decoding: command, as: UTF8.self).contains(path)
            }.map(\.pid)
        }
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// However a lab ends, nothing of it is left but its run's folder.
    @Suite struct Kills {
        /// Of the lab below: 8 of nodes, 2 of switches, 2 of the warden; and some to spare.
        private static let mostNamespaces = "16"

        /// Labs beside each other; most of a kill's time is spent waiting.
        private static let workers = 6
        /// So much longer a run takes beside the others, to its very end.
        private static let stretch = 1.3

        /// Kills at random moments of building, running and taking down, each time another process of the lab.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `nothing is left after 200 kills at random moments`() throws {
            let kills = ProcessInfo.processInfo.environment["FAILOVERLAB_KILLS"].flatMap(Int.init) ?? 200
            let seed = ProcessInfo.processInfo.environment["FAILOVERLAB_SEED"].flatMap(UInt64.init) ?? 20_261_121
            print("kills: \(kills), seed \(seed)")
            let folder = try TemporaryFolder()
            let lab = try shortLab(in: folder)
            let whole = try timeOfAWholeRun(lab, in: folder)
            let linksBefore = try hostLinks()
            let mountsBefore = try Lab.kernelText("/proc/self/mounts")
            let next = Mutex(0)
            let problems = Mutex<[String]>([])
            let victims = Mutex<[String: Int]>([:])
            let work: @Sendable () -> Void = {
                // A moment at which nothing is alive any more kills nothing, and does not count.
                while victims.withLock({ $0.filter { $0.key != "nothing" }.values.reduce(0, +) }) < kills {
                    let kill = next.withLock { kill in
                        defer { kill += 1 }
                        return kill
                    }
                    do {
                        let attempt = try Self.attempt(
                            kill, of: seed, lab: lab, before: whole * Self.stretch, in: folder.path)
                        victims.withLock { $0[attempt.victim, default: 0] += 1 }
                        problems.withLock { $0 += attempt.problems }
                    } catch {
                        problems.withLock { $0.append("kill \(kill) of seed \(seed): \(error)") }
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
            print(
                "killed: \(victims.withLock { $0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
            )
            for problem in problems.withLock({ $0 }) { Issue.record("\(problem)") }
            #expect(victims.withLock { $0.count } > 5)
            #expect(try processesWithFolder(folder.path).isEmpty)
            #expect(try hostLinks() == linksBefore)
            #expect(try Lab.kernelText("/proc/self/mounts") == mountsBefore)
            #expect(
                !(try Lab.kernelText("/proc/net/unix")).contains(
                    "@failoverlab/\(getuid())/kill-test"))
        }

        /// One run that is disturbed once; the same kill of the same seed always picks the same moment.
        private static func attempt(
            _ kill: Int, of seed: UInt64, lab: String, before end: Double, in folder: String
        ) throws -> (victim: String, problems: [String]) {
            var generator = SeededGenerator(seed: seed &+ UInt64(kill) &* 1_000_003)
            let moment = Double.random(in: 0..<end, using: &generator)
            let signal = [SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGINT].randomElement(using: &generator)!
            let choice = Int.random(in: 0..<1_000_000, using: &generator)
            let run = try Command(
                Package.product("census"),
                [mostNamespaces, Package.failoverlab, "run", lab, "--output", "runs-\(kill)"],
                in: folder)
            try run.start()
            // A stated moment, counted from the start; nothing is hoped to have happened by then.
            Thread.sleep(forTimeInterval: moment)
            let candidates = ProcessTree.descendants(of: run.process.processIdentifier).filter { $0.name != "census" }
            let victim = candidates.isEmpty ? nil : candidates[choice % candidates.count]
            if let victim { Foundation.kill(victim.pid, signal) }
            let result = run.finish()
            let words =
                "kill \(kill) of seed \(seed): signal \(signal) to \(victim?.name ?? "nothing") after \(moment) s"
            var problems: [String] = []
            if result.status == 99 || !result.errors.contains("left 0") {
                problems.append("\(words): \(result.status) \(result.errors)")
            }
            let captures = Lab.captures(in: "\(folder)/runs-\(kill)")
            for capture in captures {
                if let problem = try CaptureStructure.problem(in: capture) { problems.append("\(words): \(problem)") }
            }
            // An independent reader, for one of them.
            if let tshark = TShark.path,
                let capture = captures.filter({ CaptureStructure.hasHeader($0) }).randomElement(using: &generator),
                case let read = try Command.run(tshark, ["-r", capture, "-c", "1", "-n"]), read.status != 0
            {
                problems.append("\(words): \(capture): \(read.errors)")
            }
            try? FileManager.default.removeItem(atPath: "\(folder)/runs-\(kill)")
            return (victim?.name ?? "nothing", problems)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the census counts a namespace that is left`() throws {
            // Without this control, a census that always said 0 would pass for proof.
            let folder = try TemporaryFolder()
            let held = try Command.run(
                Package.product("census"), ["8", "/bin/sh", "-c", "unshare --net sleep 6 & exec sleep 0.2"],
                in: folder.path)
            #expect(held.status == 99)
            #expect(held.errors.contains("left 1"))
        }

        private func shortLab(in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/kill.yaml"
            try """
            schema: 1
            name: kill-test
            title: A pair, a balancer and traffic, for half a second
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, servers: 203.0.113.0/24, cross-connect: {} }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: { network: cross-connect } }
                redundancy: { peer: fw-b, priority: 200, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: { network: cross-connect } }
                redundancy: { peer: fw-a, priority: 100 }
              lb:
                role: load-balancer
                interfaces: { inside: 198.51.100.10, servers: 203.0.113.1 }
                gateway: 198.51.100.1
                virtual-services:
                  echo: { listen: "198.51.100.100:7/tcp", profile: tcp-fast-path, pool: ["backend-1:7"] }
                  proxy: { listen: "198.51.100.101:7/tcp", profile: tcp-proxy, pool: ["backend-1:7"] }
              backend-1: { role: backend, interfaces: { servers: 203.0.113.11 }, gateway: 203.0.113.1 }
            traffic:
              proxied: { from: client, to: lb/proxy, kind: tcp-stream, flows: 2, every: 5ms }
              stream: { from: client, to: lb/echo, kind: tcp-stream, flows: 4, every: 5ms }
              connect: { from: client, to: lb/echo, kind: tcp-connect, every: 20ms }
            scenario:
              - start: [stream, proxied, connect]
              - wait: 200ms
              - fail: { power-off: fw-a }
                as: failover
              - wait: 200ms
            variants:
              only: { shows: control, expect: [{ event: { name: failover, count: 1 } }] }
            """.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private func timeOfAWholeRun(_ lab: String, in folder: TemporaryFolder) throws -> Double {
            let begin = Date()
            let result = try Command.run(
                Package.product("census"), [Self.mostNamespaces, Package.failoverlab, "run", lab, "--output", "whole"],
                in: folder.path)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            return Date().timeIntervalSince(begin)
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

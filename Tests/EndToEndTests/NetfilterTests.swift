import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// nftables, conntrackd, and counters of programs.
    @Suite struct Netfilter {
        private static let hasPrograms = ["nft", "conntrackd", "keepalived"].allSatisfy { Package.tool($0) != nil }

        private static func write(
            _ programs: String, _ more: String = "", scenario: String = "[{ wait: 100ms }]", in folder: TemporaryFolder
        ) throws -> String {
            let path = folder.path + "/lab.yaml"
            try """
            schema: 1
            name: netfilter
            networks: { cable: 10.1.0.0/24 }
            nodes:
              a:
                role: backend
                interfaces: { cable: }
                programs:
                  \(programs)
              b: { role: client, interfaces: { cable: } }
            scenario: \(scenario)
            \(more)
            """.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        @Test(.enabled(if: Host.canRunLabs && hasPrograms, "this host cannot run labs, or lacks nftables"))
        func `a rule set that nft refuses ends the lab with code 3 and nft's message`() throws {
            let folder = try TemporaryFolder()
            let lab = try Self.write(
                "nftables: { rules: \"table ip x {\\n chain y { no such rule }\\n}\\n\" }", in: folder)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 3, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("program 'nftables' failed: it exited with code 1"), "\(result.errors)")
            #expect(result.errors.contains("rules.nft:2:20-23: Error: syntax error"), "\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs && hasPrograms, "this host cannot run labs, or lacks nftables"))
        func `counters of programs are read after their rules, and what cannot be read has its reason`() throws {
            let folder = try TemporaryFolder()
            let programs = """
                nftables:
                        rules: |
                          table ip x {
                            counter sent { packets 3 bytes 180 }
                            chain c { ip saddr 192.0.2.9 drop; }
                          }
                      other:
                        run: [sh, -c, "nft list counter ip x sent > seen; echo loaded; exec sleep inf"]
                        ready: { output: loaded }
                        counters: { run: [sh, -c, "echo hits 7; echo \\"misses: $(wc -l < seen)\\"; echo rules $(nft list ruleset | grep -c 192.0.2.9)"] }
                      broken: { run: [sleep, inf], counters: { run: [sh, -c, "echo no daemon; exit 4"] } }
                """
            let expectations = """
                expect:
                  - counter: { of: a/nftables, name: sent.packets, minus: sent.bytes, is: -177 }
                  - counter: { of: a/other, name: hits, is: 7 }
                  - counter: { of: a/other, name: rules, is: 1 }
                  - counter: { of: a/other, name: misses, is: "> 3" }
                  - { id: unread, counter: { of: a/broken, name: hits, is: 7 } }
                """
            let lab = try Self.write(
                programs, expectations, scenario: "[{ restart: a/nftables }, { wait: 100ms }]", in: folder)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            for line in ["sent.packets", "a/other", "a/broken"] where result.output.contains("✘") {
                Issue.record("\(line)\n\(result.output)")
            }
            let reason = "of program 'broken' exited with code 4; its last line is 'no daemon'"
            let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(reason), "\(result.output)")
            let run = folder.path + "/runs/netfilter/latest/default"
            let events = try String(contentsOfFile: run + "/events.jsonl", encoding: .utf8)
            #expect(events.contains("\"a/broken.counters-unread\""), "\(events)")
            let counters = try String(contentsOfFile: run + "/counters.json", encoding: .utf8)
            #expect(counters.contains("other\\/hits") || counters.contains("other/hits"), "\(counters)")
        }

        @Test(.enabled(if: Host.canRunLabs && hasPrograms, "this host cannot run labs, or lacks a daemon"))
        func `what a killed daemon has left in its folder does not keep it from starting`() throws {
            let folder = try TemporaryFolder()
            let programs = """
                keepalived: { instances: { cable: { router-id: 51, interval: 100ms, addresses: 10.1.0.99 } } }
                      conntrackd: { interface: cable }
                """
            let scenario = """
                [{ fail: { kill: a/keepalived } }, { fail: { start: a/keepalived } }, { signal: { a/keepalived: KILL } },
                  wait-for: a/keepalived.ended, { restart: a/keepalived },
                  { fail: { kill: a/conntrackd }, as: kill-2 }, { fail: { start: a/conntrackd }, as: start-2 }]
                """
            let expectations = """
                expect:
                  - { event: { name: a/keepalived.started, count: 2, after: scenario.begin } }
                  - { event: { name: a/conntrackd.started, count: 1, after: scenario.begin } }
                """
            let lab = try Self.write(programs, expectations, scenario: scenario, in: folder)
            let result = try Lab.failoverlab(["run", lab] + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test(
            .enabled(
                if: Host.isRoot && Host.canRunLabs && hasPrograms,
                "becoming another user needs root, keepalived, nftables and conntrackd"))
        func `an unprivileged user's firewalls replicate and commit sessions`() throws {
            let folder = try TemporaryFolder()
            let program = folder.path + "/failoverlab"
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            let home = folder.path + "/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            try FileManager.default.copyItem(
                atPath: Package.root + "/Labs/vrrp/keepalived-conntrackd/lab.yaml", toPath: folder.path + "/lab.yaml")
            let setpriv = try #require(Package.tool("setpriv"))
            let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program]
            let result = try Command.run(
                setpriv, user + ["run", "../lab.yaml", "--variant", "at-once"] + Lab.untilDecided, in: home)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }
    }
}

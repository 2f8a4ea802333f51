import Foundation
import TestSupport
import Testing

extension ShippedLabs {
    /// The documented outage and its cures, as a person would run them.
    @Suite struct FastPath {
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the outage happens, and the cures cure it`() throws {
            let run = try CatalogueRun.of("fast-path-mac-failover")
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")

            let verdict = try run.verdict()
            #expect(verdict["verdict"] as? String == "pass")
            let variants = try #require(verdict["variants"] as? [[String: Any]])
            #expect(variants.count == 12)
            for variant in variants {
                let name = try #require(variant["name"] as? String)
                let traffic = try #require(variant["traffic"] as? [[String: Any]])
                let outcomes = Dictionary(
                    uniqueKeysWithValues: traffic.map { ($0["name"] as! String, $0["outcome"] as? String) })
                let isSymptom = variant["shows"] as? String == "symptom"
                #expect(isSymptom == (name.hasPrefix("tcp-fast-path") || name.hasPrefix("udp-fast-path")), "\(name)")
                #expect(outcomes["existing"] == (isSymptom ? "timed-out" : "survived"), "\(name): \(outcomes)")
                // A probe of `new` that began just before the failover shares the fate of existing flows; what counts of
                // them is asked by the lab's expectations, which all must pass below.
                #expect(
                    outcomes["new"] == "survived" || isSymptom && outcomes["new"] == "mixed", "\(name): \(outcomes)")
                let captures = try #require(variant["captures"] as? [[String: Any]])
                #expect(captures.count > 10)
                for capture in captures { #expect(capture["dropped"] as? Int == 0, "\(name): \(capture)") }
                for expectation in try #require(variant["expectations"] as? [[String: Any]]) {
                    #expect(expectation["verdict"] as? String == "pass", "\(name): \(expectation)")
                }
            }
            #expect(Lab.captures(in: run.path).count > 100)
            // A saved run is judged again, to the same end, without privileges of any kind.
            let again = try run.check()
            #expect(again.status == 0, "\(again.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a remedy that is broken on purpose is caught`() throws {
            let folder = try TemporaryFolder()
            let lab = try Lab.changed([("virtual-mac: on", "virtual-mac: off")], in: folder)
            let result = try Lab.failoverlab(
                ["run", lab, "--variant", "virtual-mac-tcp-fast-path"] + Lab.untilDecided, in: folder)
            #expect(result.status == 1, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("timed-out") || result.output.contains("timed out"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a symptom that does not happen fails the lab`() throws {
            let folder = try TemporaryFolder()
            let lab = try Lab.changed([("profile: tcp-fast-path", "profile: tcp-proxy")], in: folder)
            let result = try Lab.failoverlab(["run", lab, "--variant", "tcp-fast-path"] + Lab.untilDecided, in: folder)
            #expect(result.status == 1, "\(result.output)\n\(result.errors)")
        }

        @Test(
            .enabled(if: Host.isRoot && Host.canRunLabs, "becoming another user needs root"),
            arguments: ["tcp-fast-path", "tcp-proxy"])
        func `an unprivileged user gets the same verdict`(variant: String) throws {
            let folder = try TemporaryFolder()
            let program = folder.path + "/failoverlab"
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            try FileManager.default.createDirectory(atPath: folder.path + "/home", withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path + "/home")
            try FileManager.default.copyItem(atPath: Lab.fastPath, toPath: folder.path + "/lab")
            let setpriv = try #require(Package.tool("setpriv"))
            let result = try Command.run(
                setpriv,
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", program, "run", "../lab",
                    "--variant", variant,
                ], in: folder.path + "/home")
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }
    }
}

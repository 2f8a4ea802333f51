import Foundation
import LabFile
import TestSupport
import Testing

extension ShippedLabs {
    /// Every other lab of the catalogue, as a person would run it.
    @Suite struct Catalogue {
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the intermittent 502 happens on demand, and its cures cure it`() throws {
            let run = try CatalogueRun.of("intermittent-502")
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            let verdict = try run.verdict()
            let variants = try #require(verdict["variants"] as? [[String: Any]])
            // Those on request run the product's own timers: half a minute, and only for who asks.
            #expect(variants.count == 11)
            #expect(!variants.contains { ($0["name"] as? String)?.hasPrefix("vendor") == true })
            for variant in variants {
                #expect(variant["verdict"] as? String == "pass", "\(variant["name"] ?? "")")
                for capture in try #require(variant["captures"] as? [[String: Any]]) {
                    #expect(capture["dropped"] as? Int == 0, "\(variant["name"] ?? ""): \(capture)")
                }
            }
            // The document's line: the 502 names the source port that the held FIN belongs to.
            let log = try String(
                contentsOfFile: run.path + "/auto-map/logs/lb.access.jsonl",
                encoding: .utf8)
            let requests = try log.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let failed = requests.filter { $0["status"] as? Int != 200 }
            #expect(failed.count == 1, "\(log)")
            #expect(failed.first?["status"] as? Int == 502 && failed.first?["snatPort"] as? Int == 4000, "\(log)")
        }

        @Test(
            .enabled(if: Host.canRunLabs && Package.tool("nginx") != nil, "this host cannot run labs, or lacks nginx"))
        func `a member's calls to its own pool fail on demand, and each cure cures them`() throws {
            let run = try CatalogueRun.of("load-balancer-hairpin")
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            // What the document's tool prints, in the report and beside the flows.
            #expect(run.result.output.contains(" own: Sent = "))
            let path = run.path + "/one-member/traffic.json"
            let programs = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [[String: Any]]
            )
            let own = programs.first { ($0["program"] as? [String: Any])?["name"] as? String == "own" }
            let statistics = try #require(own?["connect"] as? [String: Any])
            #expect(statistics["received"] as? Int == 0 && statistics["lostPercent"] as? Double == 100, "\(statistics)")
            let outside = programs.first { ($0["program"] as? [String: Any])?["name"] as? String == "outside" }
            let reached = try #require(outside?["connect"] as? [String: Any])
            #expect(reached["lost"] as? Int == 0 && (reached["averageMilliseconds"] as? Double ?? 0) > 0, "\(reached)")
        }

        @Test(.enabled(if: Host.canRunLabs && Package.tool("bird") != nil, "this host cannot run labs, or lacks bird"))
        func `the active-passive pair keeps what its documents say, and defer what they call lost`() throws {
            let run = try CatalogueRun.of("active-passive-internet-access")
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            let variants = try #require(try run.verdict()["variants"] as? [[String: Any]])
            let names = Set(variants.compactMap { $0["name"] as? String })
            // The document's table, each row with and without what the field calls defer.
            for row in ["embryonic-syn-ack-at-passive", "embryonic-syn-ack-lost", "embryonic-ack-lost"] {
                #expect(names.isSuperset(of: [row, row + "-defer"]))
            }
            // How long both were Active, each says for itself.
            let events = try String(
                contentsOfFile: run.path + "/everything-cut/events.jsonl", encoding: .utf8)
            for box in ["fw-a", "fw-b"] { #expect(events.contains("\"\(box).dual-active-over\"")) }
        }

        @Test func `every lab of the catalogue is valid`() throws {
            let folder = try TemporaryFolder()
            let labs = LabCatalogue(folder: Package.root + "/Labs").entries
            #expect(labs.count >= 7)
            let result = try Lab.failoverlab(["validate"] + labs.map(\.path), in: folder)
            #expect(result.status == 0, "\(result.errors)")
        }

        @Test func `a lab in a folder of labs is found by its name, its last part, and its path`() throws {
            let folder = try TemporaryFolder()
            let text = try String(contentsOfFile: Lab.fastPath + "/lab.yaml", encoding: .utf8)
            for name in ["vrrp/preempt", "balancing/drain", "vrrp/drain"] {
                let path = folder.path + "/Labs/" + name
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try text.write(toFile: path + "/lab.yaml", atomically: true, encoding: .utf8)
            }
            for name in ["preempt", "vrrp/preempt", "Labs/vrrp/preempt", "Labs/vrrp/preempt/lab.yaml", "vrrp/drain"] {
                let result = try Lab.failoverlab(["validate", name], in: folder)
                #expect(result.status == 0, "\(name): \(result.errors)")
            }
            let ambiguous = try Lab.failoverlab(["validate", "drain"], in: folder)
            #expect(ambiguous.status == 2)
            #expect(ambiguous.errors.contains("balancing/drain, vrrp/drain"), "\(ambiguous.errors)")
            let misspelled = try Lab.failoverlab(["validate", "preemt"], in: folder)
            #expect(misspelled.status == 2)
            #expect(misspelled.errors.contains("did you mean 'preempt'?"), "\(misspelled.errors)")
            let listed = try Lab.failoverlab(["labs"], in: folder)
            #expect(
                listed.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
                    == ["balancing/drain", "vrrp/drain", "vrrp/preempt"], "\(listed.output)")
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Every other lab of the catalogue, as a person would run it.
    @Suite struct Catalogue {
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the intermittent 502 happens on demand, and its cures cure it`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Package.root + "/Labs/intermittent-502"], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let verdict = try Lab.verdict(of: "intermittent-502", in: folder)
            let variants = try #require(verdict["variants"] as? [[String: Any]])
            #expect(variants.count == 6)
            for variant in variants {
                #expect(variant["verdict"] as? String == "pass", "\(variant["name"] ?? "")")
                for capture in try #require(variant["captures"] as? [[String: Any]]) {
                    #expect(capture["dropped"] as? Int == 0, "\(variant["name"] ?? ""): \(capture)")
                }
            }
            // The document's line: the 502 names the source port that the held FIN belongs to.
            let log = try String(
                contentsOfFile: folder.path + "/runs/intermittent-502/latest/auto-map/logs/lb.access.jsonl",
                encoding: .utf8)
            let requests = try log.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let failed = requests.filter { $0["status"] as? Int != 200 }
            #expect(failed.count == 1, "\(log)")
            #expect(failed.first?["status"] as? Int == 502 && failed.first?["snatPort"] as? Int == 4000, "\(log)")
        }

        @Test(.enabled(if: Host.canRunLabs && Package.tool("nginx") != nil, "this host cannot run labs, or lacks nginx"))
        func `a member's calls to its own pool fail on demand, and each cure cures them`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["run", Package.root + "/Labs/load-balancer-hairpin"], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            // What the document's tool prints, in the report and beside the flows.
            #expect(result.output.contains(" own: Sent = "))
            let path = folder.path + "/runs/load-balancer-hairpin/latest/one-member/traffic.json"
            let programs = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [[String: Any]])
            let own = programs.first { ($0["program"] as? [String: Any])?["name"] as? String == "own" }
            let statistics = try #require(own?["connect"] as? [String: Any])
            #expect(statistics["received"] as? Int == 0 && statistics["lostPercent"] as? Double == 100, "\(statistics)")
            let outside = programs.first { ($0["program"] as? [String: Any])?["name"] as? String == "outside" }
            let reached = try #require(outside?["connect"] as? [String: Any])
            #expect(reached["lost"] as? Int == 0 && (reached["averageMilliseconds"] as? Double ?? 0) > 0, "\(reached)")
        }

        @Test func `every lab of the catalogue is valid`() throws {
            let folder = try TemporaryFolder()
            let labs = try FileManager.default.contentsOfDirectory(atPath: Package.root + "/Labs")
                .filter { FileManager.default.fileExists(atPath: Package.root + "/Labs/\($0)/lab.yaml") }
            #expect(labs.count >= 2)
            let result = try Lab.failoverlab(["validate"] + labs.map { Package.root + "/Labs/" + $0 }, in: folder)
            #expect(result.status == 0, "\(result.errors)")
        }
    }
}

import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What is by chance, and several runs at once.
    @Suite struct Seeds {
        /// Which of the first datagrams to the server passed the element: `++-+…`
        private func pattern(_ captures: String) throws -> String {
            let tshark = try #require(TShark.path)
            func payloads(_ port: String) throws -> [String] {
                let result = try Command.run(
                    tshark,
                    [
                        "-r", "\(captures)/client.cable.\(port).pcap", "-n", "-Y", "udp.dstport == 7", "-T", "fields",
                        "-e",
                        "udp.checksum", "-e", "udp.payload", "--disable-protocol", "echo",
                    ])
                #expect(result.status == 0, "\(result.errors)")
                return result.output.split(separator: "\n").map(String.init)
            }
            let passed = Set(try payloads("far"))
            let sent = try payloads("near").prefix(40)
            #expect(sent.count == 40)
            return sent.map { passed.contains($0) ? "+" : "-" }.joined()
        }

        private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> (CommandResult, [[String: Any]]) {
            let path = folder.path + "/lab.yaml"
            try SmallCable.lab("lossy-cable", fault: ", match: udp dst port 7, do: { loss: 50% }, seed: 3")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path] + arguments, in: folder)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let verdict = try Lab.verdict(of: "lossy-cable", in: folder)
            return (result, try #require(verdict["variants"] as? [[String: Any]]))
        }

        @Test(.enabled(if: Host.canRunLabs && TShark.path != nil, "this host cannot run labs, or has no tshark"))
        func `a seed replays the faults of a run, and each repetition differs from the others`() throws {
            let folder = try TemporaryFolder()
            let latest = folder.path + "/runs/lossy-cable/latest"
            let (result, variants) = try run(["--seed", "7", "--repeat", "2"], in: folder)
            #expect(variants.map { $0["seed"] as? Int } == [7, 7])
            #expect(variants.map { $0["repetition"] as? Int } == [1, 2])
            #expect(variants.map { $0["name"] as? String } == ["plain", "plain"])
            #expect(result.output.contains("plain #2") && result.output.contains("--seed 7"), "\(result.output)")
            #expect(result.output.contains("latest/2/plain/captures") || result.output.contains("/2/plain/captures"))
            let first = try pattern("\(latest)/1/plain/captures")
            #expect(try pattern("\(latest)/2/plain/captures") == first)
            #expect(first.contains("-") && first.contains("+"))

            // The resolved file alone has the same again, and a judged run says the seed once more.
            let check = try Lab.failoverlab(["check", "runs/lossy-cable/latest"], in: folder)
            #expect(check.status == 0 && check.output.contains("plain #1") && check.output.contains("--seed 7"))
            let again = try Lab.failoverlab(
                ["run", "runs/lossy-cable/latest/1/plain/lab.yaml", "--output", "again"], in: folder)
            #expect(again.status == 0, "\(again.output)\(again.errors)")
            #expect(try pattern("\(folder.path)/again/lossy-cable/latest/plain/captures") == first)

            // Another seed, other faults.
            let (_, others) = try run(["--seed", "8"], in: folder)
            #expect(others.map { $0["seed"] as? Int } == [8] && others[0]["repetition"] == nil)
            #expect(try pattern("\(latest)/plain/captures") != first)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a run that takes longer than --timeout is inconclusive in words and code`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try SmallCable.lab("endless", wait: "60s").write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path, "--timeout", "0.6"], in: folder)
            #expect(result.status == 5, "\(result.output)\(result.errors)")
            #expect(result.output.contains("endless: inconclusive (not finished: plain)"), "\(result.output)")
            #expect(result.output.contains("→ raise the limit with --timeout"), "\(result.output)")
            #expect(try Lab.verdict(of: "endless", in: folder)["verdict"] as? String == "inconclusive")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `what is done to a lab that was kept up leaves its evaluated evidence as it was`() throws {
            let folder = try TemporaryFolder()
            let name = "kept-\(getpid())"
            let path = folder.path + "/lab.yaml"
            try SmallCable.lab(name).write(toFile: path, atomically: true, encoding: .utf8)
            let run = try Lab.failoverlab(["run", path, "--keep"], in: folder)
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            defer { _ = try? Lab.failoverlab(["down", name], in: folder) }
            let variant = "\(folder.path)/runs/\(name)/latest/plain"
            let before = try String(contentsOfFile: variant + "/events.jsonl", encoding: .utf8)
            let fail = try Lab.failoverlab(
                ["fail", "link-down", "client.cable", "--as", "nothing", "--lab", name], in: folder)
            #expect(fail.status == 0, "\(fail.errors)")
            #expect(try String(contentsOfFile: variant + "/events.jsonl", encoding: .utf8) == before)
            #expect(try String(contentsOfFile: variant + "/later-events.jsonl", encoding: .utf8).contains("link-down"))
            // The variant expects that event exactly once.
            #expect(try Lab.failoverlab(["check", "runs/\(name)/latest"], in: folder).status == 0)
        }
    }
}

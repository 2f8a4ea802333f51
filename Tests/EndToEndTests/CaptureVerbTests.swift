import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a person does with a lab that is up.
    @Suite struct LiveVerbs {
        private func up(_ folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            let name = "live-\(getpid())"
            try SmallCable.lab(name).write(toFile: path, atomically: true, encoding: .utf8)
            let up = try Lab.failoverlab(["up", path], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            return name
        }

        /// One datagram to the server.
        private func ask(_ lab: String, _ folder: TemporaryFolder) throws {
            let ask = "echo hello >/dev/udp/192.0.2.20/7"
            let result = try Lab.failoverlab(["exec", "--lab", lab, "client", "--", "bash", "-c", ask], in: folder)
            #expect(result.status == 0, "\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs && TShark.path != nil, "this host cannot run labs, or has no tshark"))
        func `capture streams what passes, by filter and reference, for tshark to read`() throws {
            let folder = try TemporaryFolder()
            let lab = try up(folder)
            defer { _ = try? Lab.failoverlab(["down", lab], in: folder) }
            let tshark = try #require(TShark.path)
            let script = """
                "$0" capture --lab "$2" client.cable 'udp and dst host server.cable.ip' --count 2 2>capture.txt |
                    "$1" -r - -n -T fields -e frame.interface_name -e ip.dst -e udp.dstport 2>tshark.txt
                """
            let capture = try Command("/bin/bash", ["-c", script, Package.failoverlab, tshark, lab], in: folder.path)
            try capture.start()
            // It began at a time that nobody knows: asked until it has its two frames.
            let deadline = Date() + 30
            while capture.process.isRunning, Date() < deadline { try ask(lab, folder) }
            let result = capture.finish()
            #expect(result.output == "client.cable\t192.0.2.20\t7\nclient.cable\t192.0.2.20\t7\n", "\(result)")
            let output = try String(contentsOfFile: folder.path + "/capture.txt", encoding: .utf8)
            #expect(output == "2 frames\n")
        }

        @Test(.enabled(if: Host.canRunLabs && TShark.path != nil, "this host cannot run labs, or has no tshark"))
        func `capture ends with its lab, which is down as soon as without it, and its file is whole`() throws {
            let folder = try TemporaryFolder()
            let lab = try up(folder)
            defer { _ = try? Lab.failoverlab(["down", lab], in: folder) }
            // Every interface of the node, into a file.
            let capture = try Command(
                Package.failoverlab, ["capture", "--lab", lab, "server", "--write", "server.pcapng"], in: folder.path)
            try capture.start()
            let file = folder.path + "/server.pcapng"
            let deadline = Date() + 30
            func length() -> Int { (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0 }
            while length() < 500, capture.process.isRunning, Date() < deadline { try ask(lab, folder) }
            let begin = Date()
            let down = try Lab.failoverlab(["down", lab], in: folder)
            #expect(down.status == 0, "\(down.errors)")
            #expect(Date().timeIntervalSince(begin) < 10, "its sockets kept the lab's namespaces")
            let result = capture.finish()
            #expect(result.status == 0 && result.errors.contains("The lab has ended"), "\(result)")
            let read = try Command.run(
                try #require(TShark.path),
                ["-r", file, "-n", "-Y", "udp.port == 7", "-T", "fields", "-e", "frame.interface_name"])
            #expect(read.status == 0, "\(read.errors)")
            #expect(Set(read.output.split(separator: "\n")) == ["server.cable"])
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a misspelt word ends with 2 and the word that was meant`() throws {
            let folder = try TemporaryFolder()
            let lab = try up(folder)
            defer { _ = try? Lab.failoverlab(["down", lab], in: folder) }
            for (arguments, meant) in [
                (["exec", "--lab", lab, "cleint", "--", "true"], "did you mean 'client'?"),
                (["fail", "--lab", lab, "power-off", "sever"], "did you mean 'server'?"),
                (["fail", "--lab", lab, "link-down", "client.cabel"], "did you mean 'client.cable'?"),
                (["fail", "--lab", lab, "power-of", "server"], "did you mean 'power-off'?"),
                (
                    ["fail", "--lab", lab, "drop", "client.cable", "--match", "host sever.cable.ip"],
                    "did you mean 'server.cable.ip'?"
                ),
                (["fail", "--lab", lab, "drop", "client.cable", "--match", "tcp and and"], "not a capture filter"),
                (["fail", "--lab", lab, "disarm", "losy"], "there is no fault 'losy'"),
                (["connections", "--lab", lab, "cleint"], "did you mean 'client'?"),
                (["capture", "--lab", lab, "client.cabel", "--write", "x"], "did you mean 'client.cable'?"),
                (
                    ["capture", "--lab", lab, "client", "host sever.cable.ip", "--write", "x"],
                    "did you mean 'server.cable.ip'?"
                ),
                (["up", "lab.yaml", "--variant", "plian"], "did you mean 'plain'?"),
                (["run", "lab.yaml", "--variant", "plian"], "did you mean 'plain'?"),
                (["graph", "lab.yaml", "--variant", "plian"], "did you mean 'plain'?"),
            ] {
                let result = try Lab.failoverlab(arguments, in: folder)
                #expect(result.status == 2, "\(arguments): \(result.errors)")
                #expect(result.errors.contains(meant), "\(arguments): \(result.errors)")
            }
            // A reference that means something reaches the element as an address.
            let drop = try Lab.failoverlab(
                [
                    "fail", "--lab", lab, "drop", "client.cable", "--match", "udp and dst host server.cable.ip",
                    "--count", "1",
                ],
                in: folder)
            #expect(drop.status == 0, "\(drop.errors)")
            // A lab that is not up cannot be addressed; its name may be misspelt.
            let other = try Lab.failoverlab(
                ["exec", "--lab", "\(lab.dropLast())x", "client", "--", "true"], in: folder)
            #expect(other.status == 3 && other.errors.contains("did you mean"), "\(other.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the standby of a pair is shown as backup from the start`() throws {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Lab.fastPath], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            let status = try Lab.failoverlab(["status", "--format", "json"], in: folder)
            let labs = try #require(
                try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [[String: Any]])
            let nodes = try #require(labs.first { $0["id"] as? String == id }?["nodes"] as? [[String: Any]])
            let states = Dictionary(uniqueKeysWithValues: nodes.map { ($0["name"] as? String, $0["state"] as? String) })
            #expect(states["fw-a"] == "active" && states["fw-b"] == "backup", "\(states)")
        }
    }
}

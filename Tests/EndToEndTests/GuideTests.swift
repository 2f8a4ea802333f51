import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Guides that a reader follows from the first command to the last one.
    @Suite struct Guides {
        private static let tools = ["skopeo", "umoci", "haproxy", "bash"]
        private static let lacking = tools.filter { Package.tool($0) == nil }

        /// Files and commands of a page, in its order.
        private struct Page {
            /// The name stands in the line above the block, which it ends: "`lab.yaml`:".
            var files: [(name: String, text: String)] = []
            /// Lines of blocks that begin with `$ `.
            var commands: [String] = []
            /// The other lines of these blocks.
            var output: [String] = []

            init(_ path: String) throws {
                let text = try String(contentsOfFile: Package.root + "/" + path, encoding: .utf8)
                var above = "", block: [String]?
                for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
                    if line.hasPrefix("```"), let lines = block {
                        add(lines, above)
                        block = nil
                    } else if line.hasPrefix("```") {
                        block = []
                    } else if block != nil {
                        block?.append(line)
                    } else if !line.isEmpty {
                        above = line
                    }
                }
            }

            private mutating func add(_ lines: [String], _ above: String) {
                if lines.contains(where: { $0.hasPrefix("$ ") }) {
                    commands += lines.filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
                    output += lines.filter { !$0.hasPrefix("$ ") && $0 != "…" }
                } else if above.hasSuffix("`:"), let name = above.dropLast(2).split(separator: "`").last {
                    files.append((String(name), lines.joined(separator: "\n") + "\n"))
                }
            }
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(if: lacking.isEmpty, "not installed: \(lacking.joined(separator: ", "))"))
        func `the images of the guide are built by its script and run by its lab`() throws {
            let page = try Page("docs/guides/run-an-image.md")
            #expect(page.files.map(\.name) == ["build-image", "shell.sh", "exec.sh", "lab.yaml"])
            #expect(page.commands.count == 3 && page.output.count == 1, "\(page.commands), \(page.output)")
            let folder = try TemporaryFolder()
            for file in page.files {
                try file.text.write(toFile: "\(folder.path)/\(file.name)", atomically: true, encoding: .utf8)
            }
            let commands = folder.path + "/commands"
            try FileManager.default.createDirectory(atPath: commands, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(
                atPath: commands + "/failoverlab", withDestinationPath: Package.failoverlab)
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
            for command in page.commands {
                let result = try Command.run(
                    try #require(Package.tool("bash")), ["-c", command], in: folder.path,
                    environment: ["PATH": "\(commands):\(path)", "XDG_CACHE_HOME": folder.path + "/cache"])
                #expect(result.status == 0, "\(command)\n\(result.output)\n\(result.errors)")
                if command.hasPrefix("failoverlab run") {
                    for line in page.output { #expect(result.output.contains(line), "\(result.output)") }
                }
            }
        }
    }
}

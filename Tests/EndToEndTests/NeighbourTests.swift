import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Labs and sockets of others on the same machine. Abstract sockets belong to a network namespace: each test has one
    /// of its own, so that labs that are up meanwhile do not matter.
    @Suite struct Neighbours {
        /// Runs a shell script in a network namespace of its own; `$1` is failoverlab, `$2` a lab, `$3` the test helper.
        private static func script(_ text: String, _ lab: String, in folder: TemporaryFolder) throws -> CommandResult {
            try Command.run(
                try #require(Package.tool("unshare")),
                ["--net", "/bin/bash", "-c", text, "sh", Package.failoverlab, lab, Package.product("escapes")],
                in: folder.path)
        }

        @Test(.enabled(if: Host.isRoot && Host.canRunLabs, "becoming another user needs root"))
        func `another user's socket with the name of a lab of mine is ignored, and told once`() throws {
            let folder = try TemporaryFolder()
            let result = try Self.script(
                """
                cp "$3" squatter; chmod 755 . squatter
                setpriv --reuid=65534 --regid=65534 --clear-groups ./squatter squat failoverlab/0/x/y/1 >ready &
                squatter=$!
                # Tests are started with SIGTERM blocked.
                trap 'kill -KILL $squatter' EXIT
                until grep -q listening ready; do sleep 0.02; done
                "$1" up "$2" >id || exit 101
                "$1" exec client -- true || exit 102
                "$1" status >status || exit 103
                "$1" down || exit 104
                "$1" down; test $? -eq 3 || exit 105
                exit 0
                """, Lab.fastPath, in: folder)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let told = result.errors.components(separatedBy: "belongs to another user (65534); ignored").count - 1
            // Once by each command that looks for labs: exec, status, down and down.
            #expect(told == 4, "\(result.errors)")
            #expect(result.errors.contains("no lab is up"), "\(result.errors)")
            let status = try String(contentsOfFile: folder.path + "/status", encoding: .utf8)
            #expect(!status.contains("x/y/1"), "\(status)")
        }
    }
}

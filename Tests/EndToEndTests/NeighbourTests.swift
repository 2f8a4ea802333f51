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
        func `another user's socket with the name of a lab of mine is ignored, and reported once`() throws {
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
            let count = result.errors.components(separatedBy: "belongs to another user (65534); ignored").count - 1
            // Once by each command that looks for labs: exec, status, down and down.
            #expect(count == 4, "\(result.errors)")
            #expect(result.errors.contains("no lab is up"), "\(result.errors)")
            let status = try String(contentsOfFile: folder.path + "/status", encoding: .utf8)
            #expect(!status.contains("x/y/1"), "\(status)")
        }

        @Test(.enabled(if: Host.isRoot && Host.canRunLabs, "a network namespace of its own needs root"))
        func `down leaves the labs of a run in progress alone, names their run, and ends them with --runs`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try """
            schema: 1
            name: long
            networks: { cable: 10.1.0.0/24 }
            nodes:
              a: { role: client, interfaces: { cable: } }
              b: { role: backend, interfaces: { cable: } }
            scenario:
              - wait: 60s
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Self.script(
                """
                "$1" run "$2" >run.out 2>&1 &
                run=$!
                until "$1" status 2>/dev/null | grep -q 'long/default/1  running'; do sleep 0.05; done
                "$1" up "$2" >id || exit 101
                "$1" status >status
                "$1" down --all 2>down.err || exit 102
                "$1" down 2>down-one.err; test $? -eq 3 || exit 103
                "$1" status | grep -q 'long/default/1  running' || exit 104
                "$1" status | grep -q 'long/default/2' && exit 105
                "$1" down --all --runs || exit 106
                wait $run
                echo "run $run ended with $?"
                """, path, in: folder)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let words = result.output.split(separator: " ")
            let run = try #require(words.count > 1 ? words[1] : nil)
            func text(_ name: String) -> String {
                (try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)) ?? ""
            }
            let alone = "long/default/1 (of process \(run))"
            #expect(text("down.err").contains(alone), "\(text("down.err"))")
            #expect(text("down-one.err").contains(alone), "\(text("down-one.err"))")
            #expect(text("status").contains("of the run with process \(run)"), "\(text("status"))")
            #expect(result.output.contains("ended with 130"), "\(result.output)\(text("run.out"))")
        }
    }
}

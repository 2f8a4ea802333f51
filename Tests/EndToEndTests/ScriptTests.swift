import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The commands of the README, as they stand there.
    @Suite struct Scripts {
        /// What the scripts start; the tests may have been built elsewhere.
        private static let built = Package.root + "/.build/release/failoverlab"
        private static let isBuiltHere =
            URL(fileURLWithPath: built).resolvingSymlinksInPath().path
            == URL(fileURLWithPath: Package.failoverlab).resolvingSymlinksInPath().path

        /// Folders above the package may be closed to others, as a home is.
        private static let isOpenToOthers: Bool = {
            guard let test = Package.tool("test"), let setpriv = Package.tool("setpriv") else { return false }
            let result = try? Command.run(setpriv, other + [test, "-r", Package.root + "/scripts/failoverlab"])
            return result?.status == 0
        }()

        private static let other = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]

        @Test(
            .enabled(if: Host.isRoot && Host.canRunLabs, "becoming another user needs root"),
            .enabled(if: isBuiltHere, "the tests were not built in the package's own .build"),
            .enabled(if: isOpenToOthers, "other users cannot read this package"))
        func `an unprivileged user gets the verdict from scripts/failoverlab`() throws {
            let folder = try TemporaryFolder()
            let home = folder.path + "/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            // As the script does after a build that found nothing to link: or it would build once more, as that user.
            try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: Package.failoverlab)
            let result = try Command.run(
                try #require(Package.tool("setpriv")),
                Self.other + [
                    Package.root + "/scripts/failoverlab", "run", "fast-path-mac-failover", "--variant",
                    "tcp-fast-path",
                    "--variant", "udp-per-packet",
                ], in: home)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            #expect(
                result.output.contains("fast-path-mac-failover: pass (1 symptom reproduced; 1 remedy proven)"),
                "\(result.output)")
        }

        /// Calls `apt_get` of `scripts/setup.bash` with an apt-get that ends as told, once for each line.
        private func aptGet(_ answers: [(output: String, code: Int)], timeout: Int = 60) throws -> (
            status: Int32, output: String, calls: [String]
        ) {
            let folder = try TemporaryFolder()
            let fake = """
                #!/bin/bash
                echo "$*" >>'\(folder.path)/calls'
                case $(wc -l <'\(folder.path)/calls') in
                \(answers.enumerated().map { "\($0 + 1)) echo '\($1.output)' >&2; exit \($1.code);;" }.joined(separator: "\n"))
                *) exit 99;;
                esac

                """
            try fake.write(toFile: folder.path + "/apt-get", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path + "/apt-get")
            let script =
                "PATH='\(folder.path)':$PATH; FAILOVERLAB_APT_WAIT=\(timeout); source '\(Package.root)/scripts/setup.bash'; apt_get update"
            let result = try Command.run(try #require(Package.tool("bash")), ["-c", script], in: folder.path)
            let calls = try String(contentsOfFile: folder.path + "/calls", encoding: .utf8)
            return (result.status, result.output, calls.split(separator: "\n").map(String.init))
        }

        private static let taken =
            "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)"

        @Test func `the scripts wait for another apt, and for dpkg by apt's own time limit`() throws {
            let patient = try aptGet([
                (Self.taken, 100), ("E: Unable to acquire the dpkg frontend lock", 100), ("done", 0),
            ])
            #expect(patient.status == 0 && patient.calls.count == 3, "\(patient)")
            #expect(patient.calls.allSatisfy { $0 == "-o DPkg::Lock::Timeout=60 update" }, "\(patient)")
            // What was said before the last call is of no interest.
            #expect(patient.output == "done\n", "\(patient)")
        }

        @Test func `the scripts wait for no other mistake, and not without end`() throws {
            let other = try aptGet([("E: Unable to locate package nginx-lite", 100)])
            #expect(other.status == 100 && other.calls.count == 1, "\(other)")
            let taken = try aptGet([(Self.taken, 100), (Self.taken, 100)], timeout: 0)
            #expect(taken.status == 100 && taken.calls.count == 1 && taken.output.contains("4711"), "\(taken)")
        }
    }
}

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
    }
}

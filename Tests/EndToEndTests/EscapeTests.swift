import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a program of a lab can reach of the host: everything that is tried must be held.
    @Suite struct Escapes {
        private static let secret = "sesame-\(UUID().uuidString)"
        private static let port = 9

        /// Who runs the lab.
        enum User: CaseIterable, CustomTestStringConvertible {
            case this, nobody

            var testDescription: String { self == .this ? "as this user" : "as an unprivileged user" }

            /// Another user can be had by root alone.
            var isAvailable: Bool { self == .this || (Host.isRoot && Package.tool("setpriv") != nil) }

            /// A command of this user, in words.
            func command(_ words: [String]) -> [String] {
                guard self == .nobody, let setpriv = Package.tool("setpriv") else { return words }
                return [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"] + words
            }
        }

        /// A folder that the user may read and write, with what he runs in it.
        private struct Place {
            let folder: TemporaryFolder
            let user: User
            var program: String { folder.path + "/failoverlab" }
            var escapes: String { folder.path + "/escapes" }
            var home: String { folder.path + "/home" }
            /// A file of the host.
            var outside: String { folder.path + "/outside" }

            init(_ user: User) throws {
                (folder, self.user) = (try TemporaryFolder(), user)
                let files = FileManager.default
                try files.createDirectory(atPath: home, withIntermediateDirectories: false)
                for (path, mode) in [(folder.path, 0o755), (home, 0o777)] {
                    try files.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                }
                try files.copyItem(atPath: Package.failoverlab, toPath: program)
                try files.copyItem(atPath: Package.product("escapes"), toPath: escapes)
                try "outside\n".write(toFile: outside, atomically: true, encoding: .utf8)
            }

            func failoverlab(_ words: [String]) throws -> CommandResult {
                let command = user.command([program] + words)
                return try Command.run(
                    command[0], Array(command.dropFirst()), in: home,
                    environment: [
                        "FAILOVERLAB_SECRET": Escapes.secret, "XDG_CACHE_HOME": home + "/cache",
                    ])
            }

            func write(_ lab: String) throws -> String {
                let path = folder.path + "/lab.yaml"
                try lab.write(toFile: path, atomically: true, encoding: .utf8)
                return path
            }
        }

        private static func lab(_ program: String) -> String {
            """
            schema: 1
            name: escapes
            networks: { cable: 10.1.0.0/24 }
            nodes:
              a:
                role: backend
                interfaces: { cable: }
                programs:
                  \(program)
              b: { role: client, interfaces: { cable: } }
            scenario:
              - wait: 10ms
            """
        }

        /// Every line of what was tried; the table goes to the test's output.
        private static func evaluate(_ output: String, _ what: String) {
            let lines = output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            let tried = lines.filter { $0.count == 3 }
            let out = tried.filter { $0[0] != "held" }
            print("escapes \(what): \(tried.count) tried, \(tried.count - out.count) held")
            for line in tried { print("  \(line[0])  \(line[1]): \(line[2])") }
            #expect(out.isEmpty, "\(out)")
            #expect(tried.count > 100 && output.contains("done\n"), "\(output)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: User.allCases)
        func `a program of a lab finds no way out`(_ user: User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let words = "serve, \"\(Self.port)\", \(place.outside), $folder/../../.., \(Self.secret), \"\(getpid())\""
            let lab = try place.write(
                Self.lab("escapes: { run: [\(place.escapes), \(words)], ready: { tcp: \(Self.port) } }"))
            let result = try place.failoverlab(["run", lab])
            // Played to its end, with nothing to judge.
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            let run = place.home + "/runs/escapes/latest/default"
            Self.evaluate(
                (try? String(contentsOfFile: run + "/logs/a.escapes.log", encoding: .utf8)) ?? "",
                "by a program, \(user.testDescription)")
            for left in ["traffic.json.new", "captures/escape", "nodes/other"] {
                #expect(!FileManager.default.fileExists(atPath: "\(run)/\(left)"), "\(left)")
            }
            #expect(try String(contentsOfFile: place.outside, encoding: .utf8) == "outside\n")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: User.allCases)
        func `exec finds no way out either, and has the folder that it was called from`(_ user: User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let up = try place.failoverlab(["up", try place.write(Self.lab("sleep: { run: [sleep, 600] }"))])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? place.failoverlab(["down", id]) }
            let run = try FileManager.default.contentsOfDirectory(atPath: place.home + "/runs/escapes").first {
                $0.hasSuffix("Z")
            }
            let folder = "\(place.home)/runs/escapes/\(run ?? "")/default"
            let tried = try place.failoverlab([
                "exec", "--lab", id, "a", "--", place.escapes, "try", place.outside, folder, Self.secret, "\(getpid())",
            ])
            #expect(tried.status == 0, "\(tried.errors)")
            Self.evaluate(tried.output, "by exec, \(user.testDescription)")
            let wrote = try place.failoverlab([
                "exec", "--lab", id, "a", "--", "sh", "-c", "echo here > file && ls /sys/class/net && cat file",
            ])
            #expect(wrote.output == "cable\nlo\nhere\n", "\(wrote.output)\(wrote.errors)")
            #expect(try String(contentsOfFile: place.home + "/file", encoding: .utf8) == "here\n")
        }

        @Test(
            .enabled(if: Host.canRunLabs && Host.isRoot, "covering parts of /proc needs root"),
            arguments: User.allCases)
        func `where parts of the host's proc are covered, as in containers, a program finds no way out`(
            _ user: User
        ) throws {
            let place = try Place(user)
            let words = "serve, \"\(Self.port)\", \(place.outside), $folder/../../.., \(Self.secret), \"\(getpid())\""
            let lab = try place.write(
                Self.lab("escapes: { run: [\(place.escapes), \(words)], ready: { tcp: \(Self.port) } }"))
            let command = user.command([place.program, "run", lab])
            // An unprivileged user in a container can set nothing; root can where the container is given CAP_SYS_ADMIN.
            let covers =
                "mount --bind /dev/null /proc/keys && mount -t tmpfs none /sys/kernel"
                + (user == .this ? " && mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys" : "")
            let result = try Command.run(
                try #require(Package.tool("unshare")),
                ["--mount", "/bin/sh", "-c", covers + " && exec \"$@\"", "sh"] + command,
                in: place.home, environment: ["FAILOVERLAB_SECRET": Self.secret])
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            let log = place.home + "/runs/escapes/latest/default/logs/a.escapes.log"
            Self.evaluate(
                (try? String(contentsOfFile: log, encoding: .utf8)) ?? "",
                "with a covered /proc, \(user.testDescription)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: User.allCases)
        func `a program's environment has nothing of the caller's`(_ user: User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let lab = try place.write(Self.lab("env: { run: [sh, -c, 'env; exec sleep 600'] }"))
            let up = try place.failoverlab(["up", lab])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? place.failoverlab(["down", id]) }
            let status = try place.failoverlab(["exec", "--lab", id, "a", "--", "env"])
            let own: Set = ["PATH", "HOME", "LANG", "LC_ALL"]
            #expect(
                Self.names(status.output) == own.union(["FAILOVERLAB_LAB", "FAILOVERLAB_NODE", "PS1"]), "\(status)")
            let log = "\(place.home)/runs/escapes/latest/default/logs/a.env.log"
            let text = try String(contentsOfFile: log, encoding: .utf8)
            // A shell adds where it stands.
            #expect(Self.names(text).subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == own, "\(text)")
        }

        private static let hasImages = ["skopeo", "umoci"].allSatisfy { Package.tool($0) != nil }

        /// In an image, which has the program that tries, links to the host, a device and an open folder.
        @Test(
            .enabled(if: Host.canRunLabs && hasImages, "this host cannot run labs, or lacks skopeo or umoci"),
            arguments: User.allCases)
        func `in a container image neither a program nor exec finds a way out`(_ user: User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let files: [TestImage.Entry] = [
                .init("usr", .folder, mode: 0o777), .init("etc", .folder, mode: 0o777), .init("mnt", .folder),
                .init("outside-link", .symbolicLink, link: place.folder.path),
                .init("dev-of-layer", .characterDevice, mode: 0o666),
            ]
            try TestImage([TestImage.program(place.escapes, at: "/bin/escapes") + files])
                .writeLayout(to: place.folder.path + "/image")
            let words =
                "serve-image, \"\(Self.port)\", \(place.outside), $folder/../../.., \(Self.secret), \"\(getpid())\""
            let lab = try place.write(
                Self.lab("escapes: { run: [escapes, \(words)], ready: { tcp: \(Self.port) } }")
                    .replacing("    programs:", with: "    image: image\n    programs:"))
            let up = try place.failoverlab(["up", lab])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? place.failoverlab(["down", id]) }
            let run = place.home + "/runs/escapes/latest/default"
            Self.evaluate(
                (try? String(contentsOfFile: run + "/logs/a.escapes.log", encoding: .utf8)) ?? "",
                "by a program of an image, \(user.testDescription)")
            let tried = try place.failoverlab([
                "exec", "--lab", id, "a", "--", "escapes", "try-image", place.outside, run, Self.secret, "\(getpid())",
            ])
            #expect(tried.status == 0, "\(tried.errors)")
            Self.evaluate(tried.output, "by exec in an image, \(user.testDescription)")
            for left in ["traffic.json.new", "captures/escape", "nodes/other"] {
                #expect(!FileManager.default.fileExists(atPath: "\(run)/\(left)"), "\(left)")
            }
            #expect(try String(contentsOfFile: place.outside, encoding: .utf8) == "outside\n")
            #expect(!FileManager.default.fileExists(atPath: "/usr/failoverlab-escape"))
        }

        private static func names(_ text: String) -> Set<String> {
            Set(text.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: User.allCases)
        func `symbolic links that a program leaves in its folder lead nobody outside`(_ user: User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let links =
                "for i in conf conf.new; do rm -f $folder/$i; ln -s \(place.outside) $folder/$i; done; exec sleep 600"
            let lab = try place.write(
                Self.lab("links: { run: [sh, -c, '\(links)'], files: { conf: written } }"))
            if user == .nobody {
                try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: place.outside)
            }
            let up = try place.failoverlab(["up", lab])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? place.failoverlab(["down", id]) }
            let own = "\(place.home)/runs/escapes/latest/default/nodes/a/links"
            func isLink(_ name: String) -> Bool {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(own)/\(name)")) != nil
            }
            for _ in 0..<200 where !isLink("conf.new") { usleep(20_000) }
            #expect(isLink("conf") && isLink("conf.new"))
            // When its node starts again, the program's files are written again.
            for fault in ["power-off", "power-on"] {
                let result = try place.failoverlab(["fail", fault, "a", "--lab", id])
                #expect(result.status == 0, "\(result.errors)")
            }
            for _ in 0..<200 where !isLink("conf.new") { usleep(20_000) }
            #expect(isLink("conf.new"), "the program did not start again")
            #expect(try String(contentsOfFile: place.outside, encoding: .utf8) == "outside\n")
        }
    }
}

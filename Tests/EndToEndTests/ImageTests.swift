import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Nodes whose programs are those of a container image, made here of this machine's own programs.
    @Suite struct Images {
        private static let hasTools = ["skopeo", "umoci"].allSatisfy { Package.tool($0) != nil }
        private static let canRun = Host.canRunLabs && hasTools && Package.tool("haproxy") != nil

        /// HAProxy, a shell, and a user of its own.
        private static func haproxy() throws -> TestImage {
            let programs = [
                ("haproxy", "/usr/sbin/haproxy"), ("dash", "/bin/sh"), ("cat", "/bin/cat"), ("id", "/usr/bin/id"),
                ("sleep", "/bin/sleep"), ("env", "/usr/bin/env"),
            ]
            var entries: [TestImage.Entry] = [
                .init("etc", .folder), .init("etc/motd", text: "of the image\n"), .init("srv", .folder),
                .init("run", .folder), .init("secret", text: "the image's own\n", mode: 0o600, user: 99),
                .init(
                    "etc/passwd", text: "root:x:0:0::/root:/bin/sh\nproxy:x:99:98::/srv:/bin/sh\n"),
                .init("etc/group", text: "root:x:0:\nproxy:x:98:\nlogs:x:97:proxy\n"),
            ]
            for (name, path) in programs { entries += try TestImage.program(#require(Package.tool(name)), at: path) }
            // The upper layer takes a file of the lower one away.
            return TestImage(
                [
                    entries + [.init("gone", text: "from below\n")],
                    [.init(".wh.gone"), .init("srv/page", text: "hello\n")],
                ],
                config: """
                    {"Entrypoint":["/usr/sbin/haproxy","-db"],"Cmd":["-v"],"User":"proxy","WorkingDir":"/srv",\
                    "Env":["PATH=/usr/sbin:/usr/bin:/bin","MODE=image"]}
                    """)
        }

        private static let lab = """
            schema: 1
            name: image
            networks: { cable: 10.1.0.0/24 }
            nodes:
              web:
                role: backend
                interfaces: { cable: 10.1.0.1 }
                image: { from: web.tar, env: { MORE: of the lab } }
                programs:
                  proxy:
                    args: [-f, $folder/haproxy.cfg]
                    files:
                      haproxy.cfg: |
                        defaults
                          mode http
                          timeout client 5s
                          timeout server 5s
                          timeout connect 5s
                        frontend web
                          bind :80
                          http-request return status 200 content-type text/plain lf-file /srv/page
                    ready: { tcp: 80 }
                  look:
                    run: [sh, -c, "id; pwd; env; cat secret /secret gone /gone; echo note >/tmp/note; exec sleep 600"]
                    events: { over: "^MORE=" }
                    ready: { output: "the image's own" }
              client: { role: client, interfaces: { cable: } }
            traffic:
              page: { from: client, to: "web:80", kind: http-request, every: 20ms }
            scenario:
              - start: page
              - wait: 200ms
            expect:
              - page: { succeeds: true }
              - page: { statuses: { 200: "> 3" } }
            """

        /// A folder with a lab and an image that any user may read, with a cache of its own.
        private struct Place {
            let folder: TemporaryFolder
            let user: Escapes.User
            var home: String { folder.path + "/home" }
            var images: String { home + "/cache/failoverlab/images" }

            init(_ user: Escapes.User = .this) throws {
                (folder, self.user) = (try TemporaryFolder(), user)
                let files = FileManager.default
                try files.createDirectory(
                    atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
                try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
                try files.copyItem(atPath: Package.failoverlab, toPath: folder.path + "/failoverlab")
            }

            func write(_ lab: String) throws {
                try lab.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            }

            /// An archive of an OCI layout.
            func write(_ image: TestImage, _ name: String = "web.tar") throws {
                let layout = folder.path + "/layout"
                try image.writeLayout(to: layout)
                let result = try Command.run("/bin/tar", ["-cf", "\(folder.path)/\(name)", "-C", layout, "."])
                #expect(result.status == 0, "\(result.errors)")
                try FileManager.default.removeItem(atPath: layout)
            }

            func command(_ words: [String]) throws -> Command {
                let command = user.command([folder.path + "/failoverlab"] + words)
                return try Command(
                    command[0], Array(command.dropFirst()), in: home, environment: ["XDG_CACHE_HOME": home + "/cache"])
            }

            func failoverlab(_ words: [String]) throws -> CommandResult {
                let command = try command(words)
                try command.start()
                return command.finish()
            }

            func run() throws -> CommandResult { try failoverlab(["run", folder.path + "/lab.yaml"]) }

            func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        }

        @Test(
            .enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"),
            arguments: Escapes.User.allCases)
        func `an image's entrypoint serves, with its user, folder and environment`(_ user: Escapes.User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            try place.write(Self.haproxy())
            try place.write(Self.lab)
            let result = try place.run()
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let hasUsers = Host.isRoot && user == .this
            #expect(result.errors.contains("runs as 'proxy', which an unprivileged user's lab") == !hasUsers)
            let run = place.home + "/runs/image/latest/default"
            let look = place.text(run + "/logs/web.look.log")
            #expect(
                look.contains(hasUsers ? "uid=99(proxy) gid=98(proxy) groups=98(proxy),97(logs)\n" : "uid=0(root)"),
                "\(look)")
            for line in ["/srv", "MODE=image", "MORE=of the lab", "HOME=/srv", "the image's own"] {
                #expect(look.contains(line + "\n"), "\(line): \(look)")
            }
            #expect(!look.contains("from below"))
            // Its evidence is examined without the image.
            try FileManager.default.removeItem(atPath: place.folder.path + "/web.tar")
            let check = try place.failoverlab(["check", place.home + "/runs/image/latest"])
            #expect(check.status == 0, "\(check.errors)")
        }

        @Test(
            .enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"),
            arguments: Escapes.User.allCases)
        func `exec and shell are in the image that the node's programs write to`(_ user: Escapes.User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            try place.write(Self.haproxy())
            try place.write(Self.lab)
            let up = try place.failoverlab(["up", place.folder.path + "/lab.yaml"])
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? place.failoverlab(["down", id]) }
            let looked = try place.failoverlab([
                "exec", "--lab", id, "web", "--", "sh", "-c",
                "cat /etc/motd /tmp/note && echo more >/etc/motd && echo $MODE",
            ])
            #expect(looked.output == "of the image\nnote\nimage\n", "\(looked)")
            let again = try place.failoverlab(["exec", "--lab", id, "web", "--", "cat", "/etc/motd"])
            #expect(again.output == "more\n", "\(again)")
            for path in ["/usr/bin/tshark", place.folder.path + "/failoverlab"] {
                let other = try place.failoverlab(["exec", "--lab", id, "web", "--", path])
                #expect(other.status == 127, "\(other)")
            }
            // Neither the cache nor the next start of the node has what was written.
            let unpacked = try #require(
                try FileManager.default.contentsOfDirectory(atPath: place.images).first { !$0.hasSuffix(".lock") })
            #expect(place.text("\(place.images)/\(unpacked)/bundle/rootfs/etc/motd") == "of the image\n")
            for fault in ["power-off", "power-on"] {
                #expect(try place.failoverlab(["fail", fault, "web", "--lab", id]).status == 0)
            }
            var motd = ""
            for _ in 0..<200 where motd.isEmpty {
                motd = try place.failoverlab(["exec", "--lab", id, "web", "--", "cat", "/etc/motd"]).output
                if motd.isEmpty { usleep(20_000) }
            }
            #expect(motd == "of the image\n")
        }

        @Test(.enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"))
        func `two runs at once unpack an image once, and what an interrupted one left is removed`() throws {
            let place = try Place()
            try place.write(Self.haproxy())
            try place.write(Self.lab)
            let runs = try (0..<2).map {
                try place.command(["run", place.folder.path + "/lab.yaml", "--output", "runs-\($0)"])
            }
            for run in runs { try run.start() }
            let results = runs.map { $0.finish() }
            #expect(results.allSatisfy { $0.status == 0 }, "\(results)")
            #expect(results.count { $0.errors.contains("unpacking '") } == 1, "\(results)")
            let names = try FileManager.default.contentsOfDirectory(atPath: place.images)
            let unpacked = try #require(names.first { !$0.hasSuffix(".lock") })
            #expect(names.sorted() == [unpacked, unpacked + ".lock"])
            // As if it had ended in the middle, with a folder that its owner may not write to.
            let left = "\(place.images)/\(unpacked).new"
            try FileManager.default.moveItem(atPath: "\(place.images)/\(unpacked)", toPath: left)
            try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: left + "/bundle/rootfs/srv")
            #expect(try place.run().status == 0)
            #expect(!FileManager.default.fileExists(atPath: left))
        }

        // MARK: Hostile and broken images

        /// Runs a lab whose image has a shell, and these files beside it.
        private func run(
            _ layers: [[TestImage.Entry]], _ script: String = "echo up; exec sleep 600", in place: Place
        ) throws -> CommandResult {
            var shell: [TestImage.Entry] = []
            for (name, path) in [("dash", "/bin/sh"), ("sleep", "/bin/sleep"), ("cat", "/bin/cat")] {
                shell += try TestImage.program(#require(Package.tool(name)), at: path)
            }
            try place.write(TestImage([shell] + layers))
            try place.write(
                """
                schema: 1
                name: image
                networks: { cable: 10.1.0.0/24 }
                nodes:
                  a:
                    role: backend
                    interfaces: { cable: }
                    image: web.tar
                    programs: { sh: { run: [sh, -c, '\(script)'], ready: { output: up } } }
                  b: { role: client, interfaces: { cable: } }
                scenario: [{ wait: 10ms }]
                """)
            return try place.run()
        }

        @Test(
            .enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"),
            arguments: Escapes.User.allCases)
        func `layers that lead outside write nothing there and read nothing of it`(_ user: Escapes.User) throws {
            guard user.isAvailable else { return }
            let place = try Place(user)
            let outside = place.folder.path + "/outside"
            try FileManager.default.createDirectory(
                atPath: outside, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: outside)
            try "of the host\n".write(toFile: outside + "/file", atomically: false, encoding: .utf8)
            let up = String(repeating: "../", count: 20)
            let hostile: [TestImage.Entry] = [
                .init("link", .symbolicLink, link: outside), .init("link/through-a-link", text: "evil"),
                .init("up", .symbolicLink, link: up + outside.dropFirst()), .init("up/through-dots", text: "evil"),
                .init(up + "above-the-root", text: "evil"), .init(up + outside.dropFirst() + "/by-dots", text: "evil"),
                .init("read", .symbolicLink, link: outside + "/file"),
                .init("home", .symbolicLink, link: outside), .init("etc", .symbolicLink, link: outside),
                .init("null", .characterDevice, mode: 0o666), .init("su", text: "#!/bin/sh\n", mode: 0o4755),
            ]
            // What a lower layer links, an upper one writes to or takes away.
            let upper: [TestImage.Entry] = [
                .init("link/from-above", text: "evil"), .init("link/.wh.file"), .init("up/.wh..wh..opq"),
            ]
            let result = try run(
                [hostile, upper],
                "echo up; cat /read /link/file; echo evil >/tmp/written; echo evil >/etc/written; exec sleep 600",
                in: place)
            #expect(result.status == 5, "\(result.output)\n\(result.errors)")
            let log = place.text(place.home + "/runs/image/latest/default/logs/a.sh.log")
            #expect(log.contains("up\n") && !log.contains("of the host"), "\(log)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
            #expect(place.text(outside + "/file") == "of the host\n")
            for name in ["above-the-root", "through-a-link", "from-above"] {
                #expect(!FileManager.default.fileExists(atPath: "/" + name))
                #expect(!FileManager.default.fileExists(atPath: place.images + "/" + name))
            }
        }

        @Test(
            .enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"),
            arguments: [
                TestImage.Entry("stolen", .hardLink, link: "/etc/shadow"),
                TestImage.Entry("stolen", .hardLink, link: "../../../../../../../etc/hostname"),
                TestImage.Entry("proc", .symbolicLink, link: "/tmp"),
                TestImage.Entry("dev", .symbolicLink, link: "/tmp"),
            ])
        func `hard links to the host's files, and links in the place of proc and dev, end the run`(
            _ entry: TestImage.Entry
        ) throws {
            let result = try run([[entry]], in: Place())
            #expect([2, 3].contains(result.status), "\(result.output)\n\(result.errors)")
        }

        @Test(.enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"))
        func `an image with other files than its digests say is refused with its line, and leaves nothing`() throws {
            let place = try Place()
            try place.write(Self.haproxy())
            try place.write(Self.lab)
            let path = place.folder.path + "/web.tar"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let text = try #require(bytes.firstRange(of: Data("of the image\n".utf8)))
            bytes[text.lowerBound] ^= 0x20
            try bytes.write(to: URL(fileURLWithPath: path))
            let result = try place.run()
            #expect(result.status == 2, "\(result.output)\n\(result.errors)")
            #expect(
                result.errors.contains("lab.yaml:8:20: the image '") && result.errors.contains("cannot be unpacked"),
                "\(result.errors)")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: place.images).allSatisfy { $0.hasSuffix(".lock") })
            #expect(!FileManager.default.fileExists(atPath: place.home + "/runs"))
        }

        @Test(.enabled(if: canRun, "this host cannot run labs, or lacks skopeo, umoci or haproxy"))
        func `a command that an image does not have is a mistake of the file`() throws {
            let place = try Place()
            try place.write(Self.haproxy())
            try place.write(Self.lab.replacing("run: [sh,", with: "run: [bash,"))
            let result = try place.run()
            #expect(result.status == 2, "\(result.output)\n\(result.errors)")
            #expect(
                result.errors.contains("web.tar' has no 'bash', which program 'look' of 'web' runs"), "\(result.errors)"
            )
        }

        @Test(.enabled(if: canRun && Host.isRoot, "hiding a program needs root, and skopeo, umoci and haproxy"))
        func `without umoci a lab with an image ends with code 4 and the packages`() throws {
            let place = try Place()
            try place.write(Self.haproxy())
            try place.write(Self.lab)
            let umoci = try #require(Package.tool("umoci"))
            let result = try Command.run(
                try #require(Package.tool("unshare")),
                [
                    "--mount", "/bin/sh", "-c", "mount --bind /dev/null \(umoci) && exec \"$@\"", "sh",
                    place.folder.path + "/failoverlab", "run", place.folder.path + "/lab.yaml",
                ], in: place.home, environment: ["XDG_CACHE_HOME": place.home + "/cache"])
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("'umoci'") && result.errors.contains("apt-get install skopeo umoci"))
        }
    }
}

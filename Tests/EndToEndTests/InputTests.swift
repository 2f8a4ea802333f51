import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What comes from outside: lab files that are too large, files that are none, a host without its usual files, and
    /// text that would speak to the terminal.
    @Suite struct Input {
        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private func isQuiet(_ result: CommandResult) -> Bool {
            (result.output + result.errors).unicodeScalars.allSatisfy { scalar in
                scalar == "\n" || scalar == "\t"
                    || !(scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                        || (0x202a...0x202e).contains(scalar.value))
            }
        }

        // MARK: Limits

        @Test func `a filter of 300 kB is refused at once, with its line`() throws {
            let folder = try TemporaryFolder()
            let filter = "tcp port 1" + String(repeating: " or tcp port 1", count: 21_000)
            let lab = SmallCable.lab("filter").replacing(
                "expect: [{ event: { name: nothing, count: 1 } }]",
                with: "expect: [{ frames: { on: client.cable, match: '\(filter)' }, some: }]")
            let path = try Self.write(lab, in: folder)
            let start = ContinuousClock.now
            let result = try Lab.failoverlab(["validate", path], in: folder)
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(result.status == 2, "\(result.errors.prefix(400))")
            #expect(
                result.errors.contains("\(path):18:")
                    && result.errors.contains("a filter has 294010 characters; allowed: at most 2048"),
                "\(result.errors.prefix(400))")
        }

        @Test(arguments: ["0", "-1", "10001", "1000000000", "9223372036854775807"])
        func `repetitions have a limit`(_ number: String) throws {
            let folder = try TemporaryFolder()
            let path = try Self.write(SmallCable.lab("repeated"), in: folder)
            let result = try Lab.failoverlab(["run", path, "--repeat=\(number)"], in: folder)
            #expect(result.status == 2 && result.errors.contains("a number from 1 to 10000"), "\(result)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/runs"))
        }

        @Test func `a FIFO as a certificate, as a lab and as a lab's folder is refused at once`() throws {
            let folder = try TemporaryFolder()
            let lab = """
                schema: 1
                name: fifo
                networks: { cable: 192.0.2.0/24 }
                nodes:
                  client: { role: client, interfaces: { cable: } }
                  member: { role: backend, interfaces: { cable: } }
                  lb:
                    role: load-balancer
                    interfaces: { cable: 192.0.2.5 }
                    virtual-services:
                      web: { listen: "192.0.2.100:443", profile: http, tls: { certificate: c.pem, key: c.pem }, pool: ["member:80"] }
                traffic: { app: { from: client, to: lb/web, kind: http-request } }
                scenario: [{ start: app }]
                expect: [{ app: { succeeds: true } }]
                """
            let path = try Self.write(lab, in: folder)
            #expect(mkfifo(folder.path + "/c.pem", 0o600) == 0)
            let result = try Lab.failoverlab(["validate", path], in: folder)
            #expect(result.status == 2, "\(result)")
            #expect(
                result.errors.contains("\(path):11:") && result.errors.contains("c.pem' is not a regular file"),
                "\(result.errors)")
            let fifo = try Lab.failoverlab(["validate", folder.path + "/c.pem"], in: folder)
            #expect(fifo.status == 2 && fifo.errors.contains("is not a regular file"), "\(fifo)")
        }

        // MARK: The wrong server

        @Test func `a program on another port than its clients ask is no false pass`() throws {
            let folder = try TemporaryFolder()
            let lab = SmallCable.lab("wrong-port").replacing(
                "server: { role: backend, interfaces: { cable: 192.0.2.20 } }",
                with:
                    "server: { role: backend, interfaces: { cable: 192.0.2.20 }, programs: { echo: { run: [sleep, 100], ready: { udp: 8 } } } }"
            )
            let path = try Self.write(lab, in: folder)
            for verb in ["validate", "run"] {
                let result = try Lab.failoverlab([verb, path], in: folder)
                #expect(result.status == 2, "\(result)")
                #expect(
                    result.errors.contains("\(path):9:")
                        && result.errors.contains("traffic program 'asking' asks port 7/udp of 'server'"),
                    "\(result.errors)")
            }
        }

        // MARK: The host's files

        /// Runs the command in a namespace of mounts, prepared by a script.
        private func failoverlab(_ arguments: [String], after script: String, in folder: TemporaryFolder) throws
            -> CommandResult
        {
            let unshare = try #require(Package.tool("unshare"))
            return try Command.run(
                unshare,
                (Host.isRoot ? ["-m"] : ["-Urm"]) + [
                    "sh", "-c", "\(script) && exec \"$0\" \"$@\"", Package.failoverlab,
                ] + arguments,
                in: folder.path)
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            arguments: [["run", Lab.fastPath], ["doctor"], ["validate", Lab.fastPath], ["status"], ["--help"], []])
        func `without /proc no verb looks like none`(_ arguments: [String]) throws {
            let folder = try TemporaryFolder()
            let result = try failoverlab(arguments, after: "mount -t tmpfs none /proc", in: folder)
            #expect(result.status == 4 && result.output.isEmpty, "\(result)")
            #expect(
                result.errors.contains("/proc is not mounted") && result.errors.contains("mount -t proc"),
                "\(result.errors)")
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            arguments: [
                ("mount -t tmpfs none /dev", "cannot be opened"),
                ("mount -t tmpfs none /dev && touch /dev/null", "is not a device"),
            ])
        func `without /dev/null a run reports it`(_ script: String, _ reason: String) throws {
            let folder = try TemporaryFolder()
            let path = try Self.write(SmallCable.lab("no-device"), in: folder)
            let result = try failoverlab(["run", path], after: script, in: folder)
            #expect(result.status == 4, "\(result)")
            #expect(
                result.errors.contains("/dev/null \(reason)") && result.errors.contains("mknod"), "\(result.errors)")
            #expect(!result.errors.contains("lab.log"), "\(result.errors)")
        }

        // MARK: The terminal

        @Test func `no text of a lab or of the command line reaches the terminal raw`() throws {
            let folder = try TemporaryFolder()
            let escape = "\\e[2J\\x9b31m\\u202e\\x7f"
            let lab = SmallCable.lab("quiet")
                .replacing(
                    "title: Two hosts and a cable", with: "title: \"two\(escape)\\n✔ pass\"\nreference: \"\(escape)\""
                )
                .replacing("plain: { shows: control,", with: "plain: { shows: control, title: \"\(escape)\",")
            try FileManager.default.createDirectory(
                atPath: folder.path + "/labs/quiet", withIntermediateDirectories: true)
            let path = folder.path + "/labs/quiet/lab.yaml"
            try lab.write(toFile: path, atomically: true, encoding: .utf8)
            let list = try Lab.failoverlab(["labs", "--folder", folder.path + "/labs"], in: folder)
            #expect(list.status == 0 && isQuiet(list) && list.output.contains("two\\u{1b}[2J\\u{9b}31m"), "\(list)")
            #expect(!list.output.split(separator: "\n").contains("✔ pass"), "\(list.output)")
            for (old, new) in [
                ("name: quiet", "name: \"\(escape)\""), ("role: client", "role: \"\(escape)\""),
                ("kind: udp", "\"\(escape)\": udp"), ("cable: 192.0.2.10", "cable: \"\(escape)\""),
            ] {
                try lab.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
                let refused = try Lab.failoverlab(["validate", path], in: folder)
                #expect(refused.status == 2 && isQuiet(refused) && refused.errors.contains("u{1b}"), "\(refused)")
            }
            for arguments in [
                ["\u{1b}[2J"], ["run", "\u{1b}[2J"], ["run", path, "--\u{1b}[2J"],
                ["graph", path, "--format", "\u{1b}[2J"],
                ["down", "\u{1b}[2J"], ["check", "\u{1b}[2J"],
            ] {
                let result = try Lab.failoverlab(arguments, in: folder)
                #expect(result.status != 0 && isQuiet(result), "\(arguments): \(result)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `what a program printed before it died is shown, not obeyed`() throws {
            let folder = try TemporaryFolder()
            let lab = SmallCable.lab("last-words")
                .replacing(
                    "server: { role: backend, interfaces: { cable: 192.0.2.20 } }",
                    with:
                        "server: { role: backend, interfaces: { cable: 192.0.2.20 }, services: { echo: 7/udp }, programs: { p: { run: [sh, -c, \"printf 'a\\\\033[2Jb\\\\233c\\\\n'; exit 3\"] } } }"
                )
            let result = try Lab.failoverlab(["run", Self.write(lab, in: folder)], in: folder)
            #expect(result.status == 3 && isQuiet(result), "\(result)")
            #expect((result.output + result.errors).contains("a\\u{1b}[2Jb\u{fffd}c"), "\(result)")
        }
    }
}

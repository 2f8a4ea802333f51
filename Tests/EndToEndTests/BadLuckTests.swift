import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Bad input and bad luck, as the command shows them.
    @Suite struct BadLuck {
        @Test func `a lab file with a mistake is refused with its place, and nothing is built`() throws {
            let folder = try TemporaryFolder()
            let lab = try Lab.changed([("profile: tcp-fast-path, pool", "profil: tcp-fast-path, pool")], in: folder)
            let result = try Lab.failoverlab(["run", lab], in: folder)
            #expect(result.status == 2)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("lab.yaml:"))
            #expect(
                result.errors.contains("'profil'") && result.errors.contains("did you mean 'profile'"),
                "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/runs"))
        }

        @Test func `a capture filter that libpcap refuses is a mistake in the lab file`() throws {
            let folder = try TemporaryFolder()
            let lab = try Lab.changed(
                [("on: client.outside, of", "on: client.outside, match: tcp and and, of")], in: folder)
            let result = try Lab.failoverlab(["validate", lab], in: folder)
            #expect(result.status == 2, "\(result.output)\(result.errors)")
            #expect(result.errors.contains("lab.yaml:"))
        }

        @Test(arguments: [["run"], ["run", "no-such-lab"], ["frobnicate"], ["exec", "lb"], ["fail", "flood", "lb"]])
        func `a wrong command line ends with 2 and reports what is right`(arguments: [String]) throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(arguments, in: folder)
            #expect(result.status == 2, "\(arguments): \(result.errors)")
            #expect(!result.errors.isEmpty)
            #expect(result.output.isEmpty)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a node that dies unexpectedly ends the run with 3, and its captures are readable`() throws {
            let folder = try TemporaryFolder()
            let run = try Command(
                Package.failoverlab, ["run", Lab.fastPath, "--variant", "tcp-proxy", "--output", "runs"],
                in: folder.path)
            try run.start()
            let captures = folder.path + "/runs/fast-path-mac-failover/latest/tcp-proxy/captures"
            let events = folder.path + "/runs/fast-path-mac-failover/latest/tcp-proxy/events.jsonl"
            // Until the fault of the scenario, which comes after half a second of traffic.
            let deadline = Date() + 30
            while !((try? String(contentsOfFile: events, encoding: .utf8)) ?? "").contains("\"failover\""),
                Date() < deadline
            {
                Thread.sleep(forTimeInterval: 0.01)
            }
            let victims = ProcessTree.descendants(of: run.process.processIdentifier).filter { $0.name == "fl-lb" }
            #expect(victims.count == 1)
            for victim in victims { kill(victim.pid, SIGKILL) }
            let result = run.finish()
            #expect(result.status == 3, "\(result.output)\(result.errors)")
            #expect(result.errors.contains("'lb' died unexpectedly"), "\(result.errors)")
            let files = Lab.captures(in: captures)
            #expect(files.count > 10)
            if let tshark = TShark.path {
                for file in files { #expect(try Command.run(tshark, ["-r", file, "-n"]).status == 0, "\(file)") }
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: [SIGINT, SIGTERM])
        func `an interrupted run ends with 130 and keeps what was captured`(signal: Int32) throws {
            let folder = try TemporaryFolder()
            let run = try Command(
                Package.failoverlab, ["run", Lab.fastPath, "--variant", "tcp-fast-path"], in: folder.path)
            try run.start()
            let events = folder.path + "/runs/fast-path-mac-failover/latest/tcp-fast-path/events.jsonl"
            let deadline = Date() + 30
            while !((try? String(contentsOfFile: events, encoding: .utf8)) ?? "").contains("\"failover\""),
                Date() < deadline
            {
                Thread.sleep(forTimeInterval: 0.01)
            }
            kill(run.process.processIdentifier, signal)
            let result = run.finish()
            #expect(result.status == 130, "\(result.output)\(result.errors)")
            let files = Lab.captures(in: folder.path + "/runs")
            #expect(files.count > 10)
            if let tshark = TShark.path {
                let file = try #require(files.first { $0.hasSuffix("lb.inside.pcap") })
                let read = try Command.run(tshark, ["-r", file, "-n", "-Y", "tcp"])
                #expect(read.status == 0)
                #expect(!read.output.isEmpty)
            }
        }

        @Test(.enabled(if: Host.isRoot && Host.canRunLabs, "mounting a small file system needs root"))
        func `a full disk ends the run with 3, and what was captured is readable`() throws {
            let folder = try TemporaryFolder()
            let script = """
                mount -t tmpfs -o size=1m tmpfs "$1" && cd "$1" && "$2" run "$3" --variant tcp-fast-path
                code=$?
                cp -r "$1"/runs "$4"
                exit $code
                """
            let disk = folder.path + "/disk"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            let result = try Command.run(
                try #require(Package.tool("unshare")),
                [
                    "--mount", "/bin/sh", "-c", script, "sh", disk, Package.failoverlab, Lab.fastPath,
                    folder.path + "/kept",
                ])
            #expect(result.status == 3, "\(result.output)\(result.errors)")
            #expect(result.errors.contains("No space left"), "\(result.errors)")
            if let tshark = TShark.path {
                for file in Lab.captures(in: folder.path + "/kept") {
                    #expect(try Command.run(tshark, ["-r", file, "-n"]).status == 0, "\(file)")
                }
            }
        }

        @Test(.enabled(if: Host.isRoot && Host.canRunLabs, "becoming another user needs root"))
        func `without user namespaces an unprivileged user gets 4 and the exact setting`() throws {
            let folder = try TemporaryFolder()
            let program = folder.path + "/failoverlab"
            try FileManager.default.copyItem(atPath: Package.failoverlab, toPath: program)
            // A user namespace with one inside it, and no room for a third, stands for a host that allows none.
            let script =
                "echo 1 > /proc/sys/user/max_user_namespaces && exec unshare --user --map-user=1000 --map-group=1000 \"$1\" doctor"
            let result = try Command.run(
                try #require(Package.tool("unshare")),
                ["--user", "--map-root-user", "/bin/sh", "-c", script, "sh", program])
            #expect(result.status == 4, "\(result.output)\(result.errors)")
            // All at once, also what could not be tried.
            for need in ["namespaces", "netlink", "veth", "bridges", "packet sockets", "captures", "open files"] {
                #expect(result.output.contains(need), "\(result.output)")
            }
            #expect(result.output.contains("user.max_user_namespaces"), "\(result.output)\(result.errors)")
        }
    }
}

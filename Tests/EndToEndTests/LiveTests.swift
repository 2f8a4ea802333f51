import CLinux
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Labs that stay up.
    @Suite struct Live {
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `two copies of one lab are up side by side without a word between them`() throws {
            let folder = try TemporaryFolder()
            var ids: [String] = []
            defer { for id in ids { _ = try? Lab.failoverlab(["down", id], in: folder) } }
            for _ in 0..<2 {
                let up = try Lab.failoverlab(["up", Lab.fastPath], in: folder)
                #expect(up.status == 0, "\(up.errors)")
                ids.append(up.output.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            #expect(Set(ids).count == 2)
            let status = try Lab.failoverlab(["status"], in: folder)
            for id in ids { #expect(status.output.contains(id)) }

            // Interfaces have the lab's own names, in every tool, in both copies.
            let links = try Lab.failoverlab(
                ["exec", "--lab", ids[0], "lb", "--", "ip", "-o", "-4", "addr"], in: folder)
            #expect(links.status == 0, "\(links.errors)")
            #expect(links.output.contains("inside") && links.output.contains("servers"))

            // One copy fails over; the other does not notice.
            let fail = try Lab.failoverlab(["fail", "switchover", "fw-a", "--lab", ids[0]], in: folder)
            #expect(fail.status == 0, "\(fail.errors)")
            #expect(try role(of: "fw-a", in: ids[0], awaiting: "backup", folder) == "backup")
            #expect(try role(of: "fw-a", in: ids[1], awaiting: "active", folder) == "active")

            // A program's exit code is the command's, and it runs among the lab's processes only.
            let code = try Lab.failoverlab(["exec", "--lab", ids[1], "client", "--", "sh", "-c", "exit 7"], in: folder)
            #expect(code.status == 7)
            let missing = try Lab.failoverlab(["exec", "--lab", ids[1], "client", "--", "no-such-program"], in: folder)
            #expect(missing.status == 127)

            for id in ids {
                let down = try Lab.failoverlab(["down", id], in: folder)
                #expect(down.status == 0, "\(down.errors)")
            }
            let after = try Lab.failoverlab(["status"], in: folder)
            for id in ids { #expect(!after.output.contains(id)) }
            ids = []
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab whose supervisor hangs keeps nobody waiting, and goes down`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try SmallCable.lab("hung-supervisor").write(toFile: path, atomically: true, encoding: .utf8)
            let up = try Lab.failoverlab(["up", path], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            // Of all supervisors, the one that has this lab's events open.
            let events = "/hung-supervisor/"
            let supervisor = try #require(
                ProcessTree.all().first { entry in
                    let open = "/proc/\(entry.pid)/fd"
                    let files = (try? FileManager.default.contentsOfDirectory(atPath: open)) ?? []
                    return entry.name == "fl-supervisor"
                        && files.contains {
                            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(open)/\($0)"))?
                                .contains(folder.path + "/runs" + events) == true
                        }
                }?.pid)
            kill(supervisor, SIGSTOP)

            let status = try Lab.failoverlab(["status"], in: folder)
            #expect(status.status == 0, "\(status.errors)")
            #expect(status.errors.contains("lab '\(id)' has not answered for "), "\(status.errors)")
            let exec = try Lab.failoverlab(["exec", "--lab", id, "client", "--", "true"], in: folder)
            #expect(exec.status == 3 && exec.errors.contains("its supervisor hangs"), "\(exec.status) \(exec.errors)")

            let down = try Lab.failoverlab(["down", id], in: folder)
            #expect(down.status == 0, "\(down.errors)")
            #expect(!ProcessTree.all().contains { $0.pid == supervisor })
        }

        /// The switchover is told by the boxes themselves, some milliseconds after the command: asked until it is so.
        private func role(
            of node: String, in lab: String, awaiting awaited: String, _ folder: TemporaryFolder
        ) throws -> String {
            var state = ""
            for _ in 0..<200 {
                let status = try Lab.failoverlab(["status", "--format", "json"], in: folder)
                let labs = try #require(
                    try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [[String: Any]])
                let nodes = labs.first { $0["id"] as? String == lab }?["nodes"] as? [[String: Any]]
                state = nodes?.first { $0["name"] as? String == node }?["state"] as? String ?? "nothing"
                if state == awaited { break }
            }
            return state
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `clients reach the service of a lab that is up, also after a power-off`() throws {
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Lab.fastPath, "--variant", "virtual-mac-tcp-fast-path"], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }
            // bash alone can open a TCP connection; it writes, and the echo comes back.
            let ask =
                "exec 3<>/dev/tcp/198.51.100.100/7 && echo hello >&3 && read -t 5 answer <&3 && test \"$answer\" = hello"
            let before = try Lab.failoverlab(["exec", "--lab", id, "client", "--", "bash", "-c", ask], in: folder)
            #expect(before.status == 0, "\(before.errors)")
            let fail = try Lab.failoverlab(["fail", "power-off", "fw-a", "--lab", id], in: folder)
            #expect(fail.status == 0, "\(fail.errors)")
            // TCP repeats its SYN until the peer has taken over.
            let after = try Lab.failoverlab(["exec", "--lab", id, "client", "--", "bash", "-c", ask], in: folder)
            #expect(after.status == 0, "\(after.errors)")
            let again = try Lab.failoverlab(["fail", "power-off", "fw-a", "--lab", id], in: folder)
            #expect(again.status == 3)
            #expect(again.errors.contains("powered off already"))
            let off = try Lab.failoverlab(["exec", "--lab", id, "fw-a", "--", "ip", "addr"], in: folder)
            #expect(off.status == 3 && off.errors.contains("'fw-a' is powered off, and nothing runs in it"), "\(off)")
            let named = try Lab.failoverlab(
                ["fail", "power-on", "fw-a", "--as", "x y", "--lab", id], in: folder)
            #expect(named.status == 2 && named.errors.contains("'x y' cannot be the name of an event"), "\(named)")
            let on = try Lab.failoverlab(["fail", "power-on", "fw-a", "--lab", id], in: folder)
            #expect(on.status == 0, "\(on.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab is found among the many sockets of a busy host`() throws {
            // Their list is longer than what one read of it returns.
            var sockets: [Int32] = []
            defer { for socket in sockets { close(socket) } }
            for number in 0..<200 {
                let name = "failoverlab-test/\(getpid())/a-socket-of-somebody-else/\(number)"
                let socket = cl_listen_abstract(name, name.utf8.count)
                #expect(socket >= 0)
                sockets.append(socket)
            }
            let folder = try TemporaryFolder()
            let up = try Lab.failoverlab(["up", Lab.fastPath], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let status = try Lab.failoverlab(["status"], in: folder)
            #expect(status.output.contains(id), "\(status.output)")
            let down = try Lab.failoverlab(["down", id], in: folder)
            #expect(down.status == 0, "\(down.errors)")
        }
    }
}

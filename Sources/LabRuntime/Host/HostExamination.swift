internal import CLinux
internal import Capture
internal import Configuration
internal import Foundation
internal import Glibc
internal import Netlink
internal import SystemPackage
internal import Topology
internal import Wire

/// What `failoverlab doctor` found out about one need of the labs.
public struct HostCheck: Hashable, Sendable, Codable {
    /// What is needed.
    public var need: String
    /// What was found, or what is wrong.
    public var found: String
    /// What to change; nil where all is well.
    public var remedy: String?

    public var isMet: Bool { remedy == nil }
}

/// Tests, in namespaces of its own, what a lab needs from its host.
public enum HostExamination {
    /// - Returns: every check, whether met or not
    public static func examine() -> [HostCheck] {
        // In a child: namespaces that were entered cannot be left again.
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return [unfinished] }
        let child = cl_fork()
        if child == 0 {
            close(ends[0])
            tryNamespaces(tellingAt: ends[1])
            exit(0)
        }
        close(ends[1])
        defer { close(ends[0]) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        if child > 0 { _ = ChildProcess(existing: child).wait() }
        var checks = bytes.split(separator: UInt8(ascii: "\n")).compactMap {
            try? JSONLine.decode(HostCheck.self, from: Array($0))
        }
        if checks.last?.need == complete {
            checks.removeLast()
        } else {
            checks.append(unfinished)
        }
        return checks + [descriptors, nullDevice, daemons, ipvs]
    }

    /// A lab that runs one that is missing says so itself; nobody needs all of them.
    private static var daemons: HostCheck {
        let found = BuiltInPrograms.executables.map { name, executable in
            let package = ProgramConfiguration(name: name, command: [executable]).package ?? name
            return Executable.path(of: executable) == nil ? "no \(name) (Debian package \(package))" : name
        }
        let unpackers = ["skopeo", "umoci"].filter { Executable.path(of: $0) == nil }.map { "no \($0) for images" }
        return HostCheck(need: "daemons of labs", found: (found + unpackers).joined(separator: ", "))
    }

    /// Only labs with `ipvsadm` or virtual servers of keepalived need it, and report it themselves.
    private static var ipvs: HostCheck {
        HostCheck(
            need: "IPVS",
            found: KernelIPVS.isThere ? "loaded" : "not loaded; labs that need it: \(HostProblem.ipvsRemedy)")
    }

    private static var nullDevice: HostCheck {
        do throws(LabFailure) {
            close(try NullDevice.open(O_RDWR))
            return HostCheck(need: NullDevice.path, found: "opens")
        } catch {
            return HostCheck(need: NullDevice.path, found: error.message, remedy: error.remedy)
        }
    }

    /// The last line of a complete test.
    private static let complete = "complete"
    private static let unfinished = HostCheck(
        need: "the test itself", found: "it ended before everything was tested",
        remedy: "run failoverlab as root, or free memory and processes")

    private static func writeLine(_ check: HostCheck, to descriptor: Int32) {
        let line = JSONLine.encode(check) + [UInt8(ascii: "\n")]
        _ = write(descriptor, line, line.count)
    }

    /// Enters the namespaces of a lab, and has a child of their own try the rest: a process that has unshared its PID
    /// namespace can start no thread.
    private static func tryNamespaces(tellingAt descriptor: Int32) {
        let need = "namespaces"
        do {
            try Warden.enterNamespaces()
        } catch {
            writeLine(
                HostCheck(need: need, found: error.message, remedy: error.remedy ?? "run as root"), to: descriptor)
            for other in [programs, netlink, links, bridges, packetSockets, captures] {
                writeLine(
                    HostCheck(
                        need: other, found: "not tested: it would change the host",
                        remedy: "fix namespaces first, as above"),
                    to: descriptor)
            }
            return writeLine(HostCheck(need: complete, found: ""), to: descriptor)
        }
        writeLine(
            HostCheck(need: need, found: "made in a user namespace of your own"),
            to: descriptor)
        let child = cl_fork()
        if child == 0 {
            for check in tryInside() { writeLine(check, to: descriptor) }
            writeLine(HostCheck(need: complete, found: ""), to: descriptor)
            exit(0)
        }
        if child > 0 { _ = ChildProcess(existing: child).wait() }
    }

    private static func tryInside() -> [HostCheck] {
        var checks: [HostCheck] = []
        func met(_ need: String, _ found: String) { checks.append(HostCheck(need: need, found: found)) }
        func unmet(_ need: String, _ problem: HostProblem) {
            checks.append(HostCheck(need: need, found: problem.problem, remedy: problem.remedy))
        }
        do throws(LabFailure) {
            let maker = try NamespaceMaker(count: 1)
            _ = try maker.next()
            met(programs, "in a user namespace of their own")
        } catch {
            checks.append(
                HostCheck(need: programs, found: error.message, remedy: error.remedy ?? "allow more user namespaces"))
        }
        do {
            var socket = try NetlinkSocket()
            met(netlink, "answers")
            attempt(links, &checks) { () throws(NetlinkError) in
                try socket.perform([
                    .createVethPair(VethEnd("probe"), VethEnd("peer")), .setUp("probe"), .setUp("peer"),
                ])
                try socket.turnOff(on: "probe")
            }
            attempt(bridges, &checks) { () throws(NetlinkError) in try socket.perform(.createBridge("switch")) }
        } catch {
            unmet(netlink, .virtualLinks("netlink sockets", "\(error)"))
        }
        let packets = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0)
        if packets >= 0 {
            close(packets)
            met(packetSockets, "open")
        } else {
            unmet(packetSockets, .packetSockets(errno))
        }
        do {
            let here = try NetworkNamespace.current()
            let session = try CaptureSession([
                CapturePoint(node: "probe", interface: "probe", namespace: here.descriptor, path: "/dev/null")
            ])
            try session.barrier(nonce: 1)
            _ = session.finish()
            met(captures, "saw a frame of its own")
        } catch {
            unmet(
                captures,
                HostProblem(
                    problem: "an interface cannot be captured: \(error)",
                    remedy: "libpcap 1.10 with TPACKET_V3 (apt-get install libpcap0.8), and packet sockets as above"))
        }
        return checks
    }

    private static let programs = "namespaces for programs"
    private static let netlink = "netlink (libmnl)"
    private static let links = "veth links"
    private static let bridges = "bridges"
    private static let packetSockets = "packet sockets (AF_PACKET)"
    private static let captures = "captures (libpcap)"

    private static func attempt(
        _ need: String, _ checks: inout [HostCheck], _ body: () throws(NetlinkError) -> Void
    ) {
        do {
            try body()
            checks.append(HostCheck(need: need, found: "made and set up"))
        } catch {
            let problem = HostProblem.virtualLinks(need, "\(error)")
            checks.append(HostCheck(need: need, found: problem.problem, remedy: problem.remedy))
        }
    }

    /// A lab's processes hold about ten descriptors for each interface.
    private static var descriptors: HostCheck {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let need = "open files"
        if limit.rlim_max >= 4096 { return HostCheck(need: need, found: "\(limit.rlim_max) allowed") }
        return HostCheck(
            need: need, found: "only \(limit.rlim_max) open files are allowed",
            remedy: "raise the hard limit to 4096: ulimit -Hn 4096, or LimitNOFILE=4096 of the service")
    }
}

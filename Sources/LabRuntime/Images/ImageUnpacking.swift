internal import CLinux
internal import Glibc
internal import SystemPackage

/// Unpacks a container image, shut off from the host as a program of a lab is: whatever its layers have in them, skopeo
/// and umoci see the image, the folder to unpack in, and what every program sees, and no network.
///
/// ```
/// command ── __unpack, in the namespaces of a lab ── the first process of a PID namespace ┬─ skopeo: image → layout
///                                                                                        └─ umoci: layout → files
/// ```
struct ImageUnpacking: Codable {
    static let layout = "layout"
    static let scratch = "scratch"
    private static let source = "/source"
    private static let target = "/unpack"
    private static let mostOutput = 64 << 10

    /// Of skopeo, which may read the image as the caller may: DAC_OVERRIDE, DAC_READ_SEARCH.
    private static let readingCapabilities: UInt64 = 1 << 1 | 1 << 2
    /// Of umoci, over the programs' users: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP.
    private static let writingCapabilities: UInt64 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 31

    var source: String
    /// `oci-archive`
    var transport: String
    var selector: String?
    var tag: String
    var target: String
    var skopeo: String
    var umoci: String

    /// - Throws: `LabFailure` with what the tools printed
    func start() throws(LabFailure) {
        let null = try NullDevice.open(O_RDWR)
        defer { close(null) }
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw LabFailure(.lab, "no pipe: \(Errno(rawValue: errno))") }
        defer { close(pipe[0]) }
        let child: ChildProcess
        do {
            defer { close(pipe[1]) }
            child = try ChildProcess(
                [HiddenVerb.unpack.rawValue, String(decoding: JSONLine.encode(self), as: UTF8.self)],
                descriptors: [null, pipe[1], pipe[1]], parentDeathSignal: SIGKILL)
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(pipe[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            // The last lines are those that count.
            output = (output + buffer[..<count]).suffix(Self.mostOutput)
        }
        let end = child.wait()
        guard end != .exited(0) else { return }
        let text = Self.reason(in: output) ?? "it \(end.words)"
        let kind: LabFailure.Kind = end == .exited(4) ? .host : .usage
        throw LabFailure(kind, kind == .host ? text : "the image '\(source)' cannot be unpacked: \(text)")
    }

    /// `time="…" level=fatal msg="…"` of skopeo, `   ⨯ …` of umoci, or the last lines.
    private static func reason(in output: [UInt8]) -> String? {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        for line in lines.reversed() {
            if let message = line.firstRange(of: "level=fatal msg=\"") {
                return String(line[message.upperBound...].dropLast())
            }
            if let mark = line.firstRange(of: "⨯ ") { return String(line[mark.upperBound...]) }
        }
        return lines.isEmpty ? nil : lines.suffix(3).joined(separator: "; ")
    }

    // MARK: In the child

    static func run(_ text: String) -> Never {
        do {
            let order = try JSONLine.decode(ImageUnpacking.self, from: Array(text.utf8))
            cl_set_process_name("fl-unpack")
            try Warden.enterNamespaces()
            let first = cl_fork()
            if first == 0 { order.carryOut() }
            guard first > 0, case .exited(let code) = ChildProcess(existing: first).wait() else { exit(1) }
            exit(code)
        } catch {
            end("\(error)", (error as? LabFailure)?.kind == .host ? 4 : 1)
        }
    }

    private func carryOut() -> Never {
        _ = cl_set_parent_death_signal(SIGKILL)
        umask(0o022)
        do throws(LabFailure) {
            let maker = try NamespaceMaker(count: 0)
            let hasUsers = try shutOff()
            let name = selector.map { ":" + $0 } ?? ""
            let layout = "\(Self.target)/\(Self.layout):\(tag)"
            try Self.run(
                [
                    // It does not take TMPDIR for large files.
                    skopeo, "--tmpdir", "\(Self.target)/\(Self.scratch)", "copy", "--quiet", "--insecure-policy",
                    "\(transport):\(Self.source)\(name)",
                    "oci:\(layout)",
                ]
            ) { () throws(LabFailure) in
                try PrivateRoot.check(cl_keep_capabilities(Self.readingCapabilities), "capabilities")
                try PrivateRoot.check(cl_forbid_calls(), "the filter of system calls")
            }
            try Self.run(
                [umoci, "unpack"] + (hasUsers ? [] : ["--rootless"])
                    + ["--image", layout, "\(Self.target)/bundle"]
            ) { () throws(LabFailure) in
                try PrivateRoot.check(cl_setns(maker.users, cl_new_user), "the programs' user namespace")
                try PrivateRoot.check(cl_become_namespace_root(), "the user")
                try PrivateRoot.check(cl_unshare(cl_new_mount | cl_new_ipc), "locked mounts")
                try PrivateRoot.check(cl_keep_capabilities(Self.writingCapabilities), "capabilities")
                try PrivateRoot.check(cl_no_new_privileges(), "privileges")
            }
        } catch {
            Self.end("\(error)", error.kind == .host ? 4 : 1)
        }
        exit(0)
    }

    /// - Returns: whether the image's files can have users of their own
    private func shutOff() throws(LabFailure) -> Bool {
        let owner = ProgramUsers.root()
        let image = cl_open(source, O_RDONLY | O_NONBLOCK, 0)
        guard image >= 0 else { throw LabFailure(.usage, "\(Errno(rawValue: -image))") }
        var status = stat()
        fstat(image, &status)
        let folder = try RunFiles.openFolder(target)
        for name in ["bundle", Self.scratch] {
            mkdirat(folder, name, 0o755)
            if owner != 0 { fchownat(folder, name, owner, owner, 0) }
        }
        let mounts = [
            status.st_mode & S_IFMT == S_IFDIR
                ? try PrivateRoot.Detached(Self.source, of: image, attributes: PrivateRoot.readOnly)
                : try PrivateRoot.Detached(Self.source, ofFile: image, attributes: PrivateRoot.readOnly),
            try PrivateRoot.Detached(Self.target, of: folder, attributes: PrivateRoot.writable),
        ]
        close(image)
        close(folder)
        try PrivateRoot.enter(run: nil, mounts: mounts, scratch: [], owner: owner)
        return owner != 0
    }

    private static func run(_ command: [String], _ confine: () throws(LabFailure) -> Void) throws(LabFailure) {
        let child = cl_fork()
        if child == 0 {
            do throws(LabFailure) {
                try confine()
            } catch {
                end("\(error)", 3)
            }
            ProgramConfinement.setEnvironment(
                home: "\(target)/\(scratch)", terminal: false, more: ["TMPDIR": "\(target)/\(scratch)"])
            let words = command.map { strdup($0) } + [nil]
            cl_close_from(3)
            execv(command[0], words)
            end("\(command[0]): \(Errno(rawValue: errno))", 3)
        }
        guard child > 0 else { throw LabFailure(.lab, "\(command[0]): \(Errno(rawValue: errno))") }
        let end = ChildProcess(existing: child).wait()
        guard end == .exited(0) else {
            // It has printed the reason itself.
            if case .exited = end { exit(1) }
            throw LabFailure(.lab, "\(command[0]) \(end.words)")
        }
    }

    private static func end(_ text: String, _ code: Int32) -> Never {
        let line = text + "\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
        exit(code)
    }
}

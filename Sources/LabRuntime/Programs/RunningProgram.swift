internal import CLinux
internal import Configuration
internal import EventLoop
internal import Glibc
internal import SystemPackage
internal import Topology

/// A program that runs: the process that started it is the first of a PID namespace, so that one SIGKILL ends all.
final class RunningProgram {
    private let child: ChildProcess
    private let loop: EventLoop
    /// Hangs up when the program has ended, after its status where it ended by itself.
    private let status: Int32
    /// Told how it ended, unless it was killed on purpose.
    var onEnd: (String) -> Void = { _ in }
    private var onKilled: (() -> Void)?

    /// Starts it in the calling process's namespaces.
    /// - Parameters:
    ///   - folder: its working folder, by path and as a descriptor
    ///   - log: where its output goes; it stays open
    ///   - users: the programs' user namespace
    init(
        _ program: ProgramConfiguration, of node: String, folder: (path: String, descriptor: Int32), log: Int32,
        users: Int32, on loop: EventLoop
    ) throws(LabFailure) {
        self.loop = loop
        guard let executable = program.command.first.flatMap({ Executable.file(of: $0) }) else {
            throw LabFailure(.lab, "'\(program.command.first ?? "")' is not installed")
        }
        // It may open it again, as /dev/stdout.
        let owner = ProgramUsers.root()
        if owner != 0 { fchown(log, owner, owner) }
        let null = try NullDevice.open(O_RDONLY)
        defer { close(null) }
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw LabFailure(.lab, "could not make a pipe: \(Errno(rawValue: errno))") }
        // Children are given their descriptors by name, and inherit no other.
        status = pipe[0]
        defer { close(pipe[1]) }
        let start = ProgramStart(
            name: "\(node).\(program.name)", executable: executable,
            command: program.command.map { $0.inFolder(folder.path) }, folder: folder.path, scratch: program.scratch)
        child = try ChildProcess(
            [HiddenVerb.program.rawValue, String(decoding: JSONLine.encode(start), as: UTF8.self)],
            descriptors: [null, log, log, pipe[1], users, folder.descriptor], newPIDNamespace: true,
            parentDeathSignal: SIGKILL, environment: [])
        do {
            // The loop keeps it until it has ended, whoever lets go of it before.
            try loop.watch(status) { [self] _ in hasEnded() }
        } catch {
            throw LabFailure(.lab, "program '\(program.name)' cannot be watched: \(error)")
        }
    }

    /// - Parameter then: called when nothing of it is left
    func kill(then: @escaping () -> Void) {
        onKilled = then
        child.signal(SIGKILL)
    }

    private func hasEnded() {
        var raw: Int32 = 0
        let hasStatus = read(status, &raw, 4) == 4
        loop.unwatch(status)
        close(status)
        // The first process of a PID namespace ends when all others have.
        let end = child.wait()
        if let onKilled { return onKilled() }
        onEnd((hasStatus ? ChildProcess.End(status: raw) : end).words)
    }
}

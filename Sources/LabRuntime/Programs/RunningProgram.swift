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
    /// Called with how it ended, unless it was killed on purpose.
    var onEnd: (ChildProcess.End) -> Void = { _ in }
    private var onKilled: (() -> Void)?
    /// Told what lines of its output say.
    var onOutput: (OutputPatterns.Match) -> Void = { _ in }
    private var patterns: OutputPatterns
    /// Its output and where that goes; nil where nobody reads it on the way.
    private var output: (reading: Int32, log: Int32)?

    /// Starts it in the calling process's namespaces.
    /// - Parameters:
    ///   - folder: its working folder, by path and as a descriptor
    ///   - log: where its output goes; it stays open
    ///   - users: the programs' user namespace
    ///   - image: the node's container image
    init(
        _ program: ProgramConfiguration, of node: String, folder: (path: String, descriptor: Int32), log: Int32,
        users: Int32, image: NodeImage?, on loop: EventLoop
    ) throws(LabFailure) {
        self.loop = loop
        let start = try ProgramStart(program, of: node, folder: folder.path, image: image)
        do {
            patterns = try OutputPatterns(program)
        } catch {
            throw LabFailure(.lab, "a pattern of program '\(program.name)' is none: \(error)")
        }
        var printed = log
        if !patterns.isEmpty {
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0 else { throw LabFailure(.lab, "no pipe: \(Errno(rawValue: errno))") }
            _ = fcntl(ends[0], F_SETFL, O_RDONLY | O_NONBLOCK)
            output = (reading: ends[0], log: log)
            printed = ends[1]
        }
        defer { if printed != log { close(printed) } }
        // It may open it again, as /dev/stdout.
        let owner = ProgramUsers.root()
        if owner != 0 { fchown(printed, owner, owner) }
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw LabFailure(.lab, "could not make a pipe: \(Errno(rawValue: errno))") }
        // Children are given their descriptors by name, and inherit no other.
        status = pipe[0]
        defer { close(pipe[1]) }
        child = try ProgramProcess.child(
            start, log: printed, status: pipe[1], users: users, folder: folder.descriptor)
        do {
            // The loop keeps it until it has ended, whoever lets go of it before.
            try loop.watch(status) { [self] _ in hasEnded() }
            if let output { try loop.watch(output.reading) { [self] _ in readOutput() } }
        } catch {
            throw LabFailure(.lab, "program '\(program.name)' cannot be watched: \(error)")
        }
    }

    /// Whether a line that it waits for was on its output.
    func hasPrinted(_ pattern: String) -> Bool { patterns.isMet(pattern) }

    /// Passes what it printed on to its log, and reports what that says.
    private func readOutput() {
        guard let (reading, log) = output else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { break }
            var written = 0
            while written < count {
                let part = buffer[written..<count].withUnsafeBytes { write(log, $0.baseAddress, $0.count) }
                if part < 0, errno == EINTR { continue }
                // Who reads the logs has gone, and so will this process.
                guard part > 0 else { break }
                written += part
            }
            for match in patterns.take(buffer[..<count]) { onOutput(match) }
        }
        loop.unwatch(reading)
        close(reading)
        output = nil
    }

    /// Whether its end is what somebody asked for.
    var isToEnd = false
    /// Called after `onEnd`'s report of such an end.
    var onExpectedEnd: () -> Void = {}

    /// Sends a signal to the program itself.
    /// - Returns: false where it is only being started
    func signal(_ number: Int32) -> Bool {
        // The first process of its PID namespace started it first, and ends with it.
        guard let main = ProcessDescendants(of: child.pid).children.first else { return false }
        return Glibc.kill(main, number) == 0
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
        readOutput()
        if let onKilled { return onKilled() }
        onEnd(hasStatus ? ChildProcess.End(status: raw) : end)
    }
}

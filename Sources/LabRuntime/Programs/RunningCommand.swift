internal import EventLoop
internal import Glibc
internal import SystemPackage

/// A command that runs, and what it printed.
final class RunningCommand {
    struct End {
        /// Of a signal 128 and its number, as a shell has it.
        var code: Int
        /// The first ones that are not empty.
        var lines: [String]
        var isOverdue: Bool
    }

    /// Bytes of its output that are kept, and how much of them is shown.
    private static let (mostBytes, mostLines, longestLine) = (16_384, 10, 200)

    private let child: ChildProcess
    private let loop: EventLoop
    private let status: Int32
    private let output: Int32
    private var printed: [UInt8] = []
    private var hasEnded = false
    private var isOverdue = false
    private let onEnd: (End) -> Void

    /// - Parameter onEnd: called once, when nothing of it is left
    init(_ start: ProgramStart, on loop: EventLoop, onEnd: @escaping (End) -> Void) throws(LabFailure) {
        self.loop = loop
        self.onEnd = onEnd
        var (ends, pipe): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard Glibc.pipe(&ends) == 0, Glibc.pipe(&pipe) == 0 else {
            let problem = Errno(rawValue: errno)
            for end in ends where end >= 0 { close(end) }
            throw LabFailure(.lab, "could not make a pipe: \(problem)")
        }
        (output, status) = (ends[0], pipe[0])
        _ = fcntl(output, F_SETFL, O_RDONLY | O_NONBLOCK)
        defer {
            close(ends[1])
            close(pipe[1])
        }
        // It may open it again, as /dev/stdout.
        let owner = ProgramUsers.root()
        if owner != 0 { fchown(ends[1], owner, owner) }
        do throws(LabFailure) {
            child = try ProgramProcess.child(
                start, log: ends[1], status: pipe[1], users: NodeProcess.usersDescriptor, folder: nil)
        } catch {
            close(output)
            close(status)
            throw error
        }
        do {
            // The loop keeps it until it has ended.
            try loop.watch(status) { [self] _ in ended() }
            try loop.watch(output) { [self] _ in readOutput() }
        } catch {
            child.signal(SIGKILL)
            throw LabFailure(.lab, "the command cannot be watched: \(error)")
        }
    }

    /// Its time is over; nothing happens where it has ended.
    func kill() {
        guard !hasEnded else { return }
        isOverdue = true
        child.signal(SIGKILL)
    }

    /// What is not kept is read all the same: it must not wait for a reader.
    private func readOutput() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { loop.unwatch(output) }
                return
            }
            printed += buffer[..<min(count, Self.mostBytes - printed.count)]
        }
    }

    private func ended() {
        var raw: Int32 = 0
        let hasStatus = read(status, &raw, 4) == 4
        // The first process of a PID namespace ends when all others have.
        let end = child.wait()
        hasEnded = true
        readOutput()
        for descriptor in [status, output] {
            loop.unwatch(descriptor)
            close(descriptor)
        }
        let code =
            switch hasStatus ? ChildProcess.End(status: raw) : end {
            case .exited(let code): Int(code)
            case .killed(let signal): 128 + Int(signal)
            }
        onEnd(End(code: code, lines: lines, isOverdue: isOverdue))
    }

    private var lines: [String] {
        let texts = printed.split(separator: UInt8(ascii: "\n")).lazy
            .map { String(decoding: $0.prefix(Self.longestLine), as: UTF8.self) }
            .filter { !$0.allSatisfy(\.isWhitespace) }
        return Array(texts.prefix(Self.mostLines))
    }
}

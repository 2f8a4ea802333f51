internal import EventLoop
internal import Glibc
internal import SystemPackage

/// A command that runs to its end in the sandbox of its node's programs, and what it prints. The loop keeps it until
/// nothing of it is left.
final class RunningCommand {
    struct End {
        var child: ChildProcess.End
        var output: KeptOutput
        /// Whether it took longer than it may, and was killed.
        var isOverdue: Bool

        /// Of a signal 128 and its number, as a shell has it.
        var code: Int {
            switch child {
            case .exited(let code): Int(code)
            case .killed(let signal): 128 + Int(signal)
            }
        }
    }

    /// Of a command that prints without end, so much in a turn of the loop: others have their turns, too.
    private static let mostReads = 16

    private let child: ChildProcess
    private let loop: EventLoop
    private let status: Int32
    private let reading: Int32
    private var output: KeptOutput
    private var hasEnded = false
    private var isOverdue = false
    private var timer: EventLoop.Timer?
    private let onEnd: (End) -> Void

    /// - Parameters:
    ///   - folder: descriptor of its working folder, where it has one
    ///   - output: what of its output is kept
    ///   - timeout: after which it is killed; nil where somebody else looks after it
    ///   - onEnd: called once, when nothing of it is left
    init(
        _ start: ProgramStart, folder: Int32? = nil, keeping output: KeptOutput, timeout: Duration? = nil,
        on loop: EventLoop, onEnd: @escaping (End) -> Void
    ) throws(LabFailure) {
        self.loop = loop
        self.output = output
        self.onEnd = onEnd
        var (printed, ended): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard Glibc.pipe(&printed) == 0, Glibc.pipe(&ended) == 0 else {
            let problem = Errno(rawValue: errno)
            for end in printed where end >= 0 { close(end) }
            throw LabFailure(.lab, "could not make a pipe: \(problem)")
        }
        (reading, status) = (printed[0], ended[0])
        _ = fcntl(reading, F_SETFL, O_RDONLY | O_NONBLOCK)
        defer {
            close(printed[1])
            close(ended[1])
        }
        // It may open it again, as /dev/stdout.
        let owner = ProgramUsers.root()
        if owner != 0 { fchown(printed[1], owner, owner) }
        do throws(LabFailure) {
            child = try ProgramProcess.child(
                start, log: printed[1], status: ended[1], users: NodeProcess.usersDescriptor, folder: folder)
        } catch {
            close(reading)
            close(status)
            throw error
        }
        do {
            try loop.watch(status) { [self] _ in end() }
            try loop.watch(reading) { [self] _ in read() }
        } catch {
            child.signal(SIGKILL)
            _ = child.wait()
            release()
            throw LabFailure(.lab, "the command cannot be watched: \(error)")
        }
        if let timeout { timer = loop.schedule(after: timeout) { [unowned self] in endInTime() } }
    }

    private func endInTime() {
        timer = nil
        isOverdue = true
        kill()
    }

    /// SIGKILL for it and all that it has started; nothing happens where it has ended.
    func kill() { if !hasEnded { child.signal(SIGKILL) } }

    /// SIGTERM for the command itself; nothing happens where it is only being started.
    func terminate() {
        // The first process of its PID namespace started it first, and ends with it.
        guard !hasEnded, let main = ProcessDescendants(of: child.pid).children.first else { return }
        _ = Glibc.kill(main, SIGTERM)
    }

    /// Reports its end at once where it has ended already.
    func lookForEnd() {
        var polled = pollfd(fd: status, events: Int16(POLLIN), revents: 0)
        if !hasEnded, poll(&polled, 1, 0) > 0 { end() }
    }

    /// What is not kept is read all the same: it must not wait for a reader.
    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<Self.mostReads {
            let count = Glibc.read(reading, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { loop.unwatch(reading) }
                return
            }
            output.append(buffer[..<count])
        }
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        var raw: Int32 = 0
        let hasStatus = Glibc.read(status, &raw, 4) == 4
        // The first process of a PID namespace ends when all others have.
        let end = child.wait()
        if let timer { loop.cancel(timer) }
        // What is in the pipe now is all, and no pipe holds more than this.
        read()
        release()
        onEnd(End(child: hasStatus ? ChildProcess.End(status: raw) : end, output: output, isOverdue: isOverdue))
    }

    private func release() {
        for descriptor in [status, reading] {
            loop.unwatch(descriptor)
            close(descriptor)
        }
    }
}

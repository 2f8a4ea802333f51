internal import CLinux
internal import EventLoop
internal import Evidence
internal import Glibc
internal import SystemPackage

/// Writes the logs of a lab's nodes and programs, and the access logs of balancers, within their bounds.
///
/// A process that logs has the writing end of a pipe, and never the file: a program may print without end, is neither
/// kept waiting for long nor ended by SIGPIPE, and cannot change what it printed before. The pipes are read on a thread
/// of its own, so that no process waits for the supervisor, which the kernel may keep waiting.
final class RunLogs: Sendable {
    enum Kind {
        /// Of a node's own process, which logs little.
        case node
        /// Of a program.
        case program
        /// A balancer's access log: whole lines of JSON, which are evidence.
        case requests
    }

    private let thread: LoopThread
    private let files = LogFiles()

    /// Call when the process makes no namespaces any more: it has two threads from here on.
    init() throws(LabFailure) {
        do {
            thread = try LoopThread(name: "logs")
        } catch {
            throw LabFailure(.lab, "could not start a thread for the lab's logs: \(error)")
        }
    }

    /// - Returns: the writing end of a pipe to the file, which the caller closes. A file that was written before is
    ///   continued.
    func open(_ path: String, _ kind: Kind) throws(LabFailure) -> Int32 {
        try thread.perform { [files] loop in
            Result { () throws(LabFailure) in try files.open(path, kind, on: loop) }
        }.get()
    }

    /// Returns when all that was written before is in the files.
    func settle() { thread.perform { [files] loop in files.readAll(on: loop) } }

    /// The last lines of a log, as many as there are.
    func lastLines(of path: String, most: Int) -> [String] {
        settle()
        guard let text = KernelFile.contents(path) else { return [] }
        return text.split(separator: "\n").suffix(most).map(String.init)
    }

    /// The run is complete: its access logs take nothing more. What comes from now on goes to files beside them.
    /// - Throws: where a request could not be written
    func finishRequests() throws(LabFailure) {
        try thread.perform { [files] loop in
            files.readAll(on: loop)
            return Result { () throws(LabFailure) in try files.finishRequests() }
        }.get()
    }

    /// What is missing in files, by path.
    var gaps: [(path: String, gap: BoundedFile.Gap)] { thread.perform { [files] _ in files.gaps } }
}

/// Used on the thread of the logs alone.
private final class LogFiles: @unchecked Sendable {
    private struct Log {
        var file: BoundedFile
        var kind: RunLogs.Kind
        var isFinished = false
        /// Why a line could not be written.
        var problem: Errno?
    }

    private struct Pipe {
        var path: String
        /// Of a line that has not ended yet.
        var begun: [UInt8] = []
    }

    /// Of a pipe, at most, whoever made it: what was written before somebody asks is within so many bytes.
    private static let mostOfPipe = 1 << 20
    /// The kernel limits the pages of a user's pipes; beyond the limit new pipes are small. fcntl(2)
    private static let pipeOfNode: Int32 = 16_384
    private static let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ
    private static let longestLine = 1 << 20

    private var logs: [String: Log] = [:]
    private var pipes: [Int32: Pipe] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    deinit { buffer.deallocate() }

    var gaps: [(path: String, gap: BoundedFile.Gap)] {
        logs.compactMap { path, log in log.file.gap.map { (path, $0) } }.sorted { $0.0 < $1.0 }
    }

    func open(_ path: String, _ kind: RunLogs.Kind, on loop: EventLoop) throws(LabFailure) -> Int32 {
        if logs[path] == nil { logs[path] = try Self.log(path, kind) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LabFailure(.lab, "could not make a pipe: \(Errno(rawValue: errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reading, writing) = (ends[0], ends[1])
        _ = fcntl(reading, F_SETFL, O_RDONLY | O_NONBLOCK)
        if kind == .node { _ = fcntl(writing, Self.setPipeSize, Self.pipeOfNode) }
        do {
            try loop.watch(reading) { [unowned self, unowned loop] _ in _ = read(reading, on: loop) }
        } catch {
            close(reading)
            close(writing)
            throw LabFailure(.lab, "'\(path)' cannot be followed: \(error)")
        }
        pipes[reading] = Pipe(path: path)
        return writing
    }

    private static func log(_ path: String, _ kind: RunLogs.Kind) throws(LabFailure) -> Log {
        let descriptor = try RunFiles.openToAppend(path)
        let file =
            switch kind {
            case .node, .program: BoundedFile(descriptor, .log, line: LeftOutLine.ofLog)
            case .requests: BoundedFile(descriptor, .requests, line: LeftOutLine.ofRequests)
            }
        return Log(file: file, kind: kind)
    }

    func readAll(on loop: EventLoop) {
        for end in Array(pipes.keys) {
            var taken = 0
            while taken < Self.mostOfPipe, case let count = read(end, on: loop), count > 0 { taken += count }
        }
    }

    /// - Returns: how many bytes there were; 0 where there are none now, or never again
    private func read(_ end: Int32, on loop: EventLoop) -> Int {
        guard let pipe = pipes[end] else { return 0 }
        let count = Glibc.read(end, buffer.baseAddress, buffer.count)
        if count > 0 {
            take(Array(buffer[..<count]), from: end, pipe)
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            // A line that has no end is one of a process that was killed.
            loop.unwatch(end)
            close(end)
            pipes[end] = nil
        }
        return max(0, count)
    }

    private func take(_ bytes: [UInt8], from end: Int32, _ pipe: Pipe) {
        guard logs[pipe.path]?.kind == .requests else { return append(bytes, to: pipe.path) }
        let lines = pipe.begun + bytes
        let whole = lines.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        pipes[end]?.begun = lines.count - whole > Self.longestLine ? [] : Array(lines[whole...])
        append(Array(lines[..<whole]), to: pipe.path)
    }

    private func append(_ bytes: [UInt8], to path: String) {
        if logs[path]?.isFinished == true, logs[path]?.kind == .requests {
            let later = RunFolder.laterRequests(path)
            if logs[later] == nil { logs[later] = try? Self.log(later, .requests) }
            return append(bytes, to: later)
        }
        do throws(Errno) {
            try logs[path]?.file.append(bytes)
        } catch {
            // A full disk costs lines. Those of a program prove nothing.
            let first = logs[path]?.problem ?? error
            logs[path]?.problem = first
        }
    }

    func finishRequests() throws(LabFailure) {
        for (path, log) in logs where log.kind == .requests {
            if let problem = log.problem { throw LabFailure(.lab, "'\(path)' cannot be written: \(problem)") }
            logs[path]?.isFinished = true
        }
    }
}

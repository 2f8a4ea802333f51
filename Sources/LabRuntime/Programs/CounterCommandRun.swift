internal import Configuration
internal import EventLoop
internal import Glibc
internal import SystemPackage

/// A command that runs to its end, with what it prints. It keeps itself until then.
final class CounterCommandRun {
    /// Why there is no output, as the end of a sentence about the command.
    struct Problem: Error {
        var text: String
    }

    static let timeout = Duration.seconds(5)
    /// Bytes; what is printed beyond them is passed over.
    private static let mostOutput = 1 << 20

    private let reading: Int32
    private let loop: EventLoop
    private let then: (Result<String, Problem>) -> Void
    private var output: [UInt8] = []
    private var isReading = true

    private init(_ reading: Int32, on loop: EventLoop, then: @escaping (Result<String, Problem>) -> Void) {
        (self.reading, self.loop, self.then) = (reading, loop, then)
    }

    /// - Parameters:
    ///   - folder: its working folder, by path and as a descriptor
    ///   - then: called once, unless this throws
    static func start(
        _ command: ProgramConfiguration, of node: String, folder: (path: String, descriptor: Int32),
        image: NodeImage?, on loop: EventLoop, then: @escaping (Result<String, Problem>) -> Void
    ) throws(LabFailure) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw LabFailure(.lab, "no pipe: \(Errno(rawValue: errno))") }
        _ = fcntl(ends[0], F_SETFL, O_RDONLY | O_NONBLOCK)
        defer { close(ends[1]) }
        let run = CounterCommandRun(ends[0], on: loop, then: then)
        do throws(LabFailure) {
            try run.begin(command, of: node, folder: folder, image: image, log: ends[1])
        } catch {
            run.stopReading()
            throw error
        }
    }

    private func begin(
        _ command: ProgramConfiguration, of node: String, folder: (path: String, descriptor: Int32),
        image: NodeImage?, log: Int32
    ) throws(LabFailure) {
        let program = try RunningProgram(
            command, of: node, folder: folder, log: log, users: NodeProcess.usersDescriptor, image: image, on: loop)
        do {
            try loop.watch(reading) { [self] _ in read() }
        } catch {
            program.kill {}
            throw LabFailure(.lab, "its output cannot be watched: \(error)")
        }
        let timer = loop.schedule(after: Self.timeout) { [self] in
            program.kill { [self] in finish(.failure(.init(text: "did not end within \(Self.timeout)"))) }
        }
        program.onEnd = { [self] end in
            loop.cancel(timer)
            read()
            let text = String(decoding: output, as: UTF8.self)
            guard end == .exited(0) else {
                return finish(.failure(.init(text: "\(end.words); \(Self.lastLine(of: text))")))
            }
            finish(.success(text))
        }
    }

    private func finish(_ result: Result<String, Problem>) {
        stopReading()
        then(result)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while isReading {
            let count = Glibc.read(reading, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { return stopReading() }
            output += buffer[..<min(count, Self.mostOutput - output.count)]
        }
    }

    private func stopReading() {
        guard isReading else { return }
        isReading = false
        loop.unwatch(reading)
        close(reading)
    }

    /// For a person who looks for what went wrong.
    static func lastLine(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).last { $0.contains { !$0.isWhitespace } }
        return line.map { "its last line is '\($0.prefix(300))'" } ?? "it printed nothing"
    }
}

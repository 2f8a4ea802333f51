internal import Glibc

/// A program that runs beside this one, with a pipe to its standard input and one from its standard output.
struct ChildProgram {
    /// The command that is measured, as `scripts/bench` names it.
    static var failoverlab: String { getenv("FAILOVERLAB").map { String(cString: $0) } ?? ".build/release/failoverlab" }

    private let pid: pid_t
    /// The process's number.
    var identifier: pid_t { pid }
    private let input: Int32
    private let output: Int32
    /// Its standard error, for the case that it fails.
    private let complaints: UnsafeMutablePointer<FILE>
    private let name: String

    /// - Parameter words: the program, looked for on the PATH, and its arguments
    init(_ words: [String]) throws {
        name = words[0]
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw BenchmarkFailure("no pipe: \(errorText)") }
        guard let complaints = tmpfile() else { throw BenchmarkFailure("no temporary file: \(errorText)") }
        self.complaints = complaints
        for descriptor in toChild + fromChild + [fileno(complaints)] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fileno(complaints), STDERR_FILENO)
        let arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child = pid_t()
        let code = posix_spawnp(&child, words[0], &actions, nil, arguments, environ)
        close(toChild[0])
        close(fromChild[1])
        guard code == 0 else { throw BenchmarkFailure("\(words[0]): \(String(cString: strerror(code)))") }
        (pid, input, output) = (child, toChild[1], fromChild[0])
    }

    /// Waits for a line on its standard output.
    func awaitLine(_ expected: String) throws {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.elementsEqual(expected.utf8) { return }
            line = []
        }
        throw BenchmarkFailure("\(name) ended before it said '\(expected)': \(lastComplaint)")
    }

    func send(_ line: String) {
        let text = line + "\n"
        _ = write(input, text, text.utf8.count)
    }

    /// Waits for its end, which must be a good one.
    /// - Parameter accepting: exit codes that are good
    /// - Returns: what it wrote that nobody has read
    @discardableResult
    consuming func finish(accepting: Set<Int32> = [0]) throws -> String {
        close(input)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(output, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        close(output)
        let status = Self.wait(pid)
        let isGood = status & 0x7F == 0 && accepting.contains(status >> 8)
        let complaint = isGood ? "" : lastComplaint
        fclose(complaints)
        guard isGood else { throw BenchmarkFailure("\(name) failed with status \(status): \(complaint)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for the end of a program that was asked to end, however it ends.
    consuming func abandon() {
        close(input)
        close(output)
        _ = Self.wait(pid)
        fclose(complaints)
    }

    /// The last line that it wrote to standard error.
    var lastComplaint: String {
        rewind(complaints)
        var line = [CChar](repeating: 0, count: 1024)
        var last = ""
        while fgets(&line, Int32(line.count), complaints) != nil {
            last = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return last
    }

    /// - Returns: the status of waitpid(2), 0 where the process exited with 0
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    /// Runs a program to its end.
    @discardableResult
    static func run(_ words: [String], accepting: Set<Int32> = [0]) throws -> String {
        try ChildProgram(words).finish(accepting: accepting)
    }
}

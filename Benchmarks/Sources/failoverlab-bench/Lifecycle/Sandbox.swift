internal import CForwarders
internal import Glibc
internal import LabTime

/// Work in a forked process with mounts and a network of its own.
enum Sandbox {
    /// - Throws: what `body` throws, as text
    static func measure(_ body: () throws -> Lifetime) throws -> Lifetime {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw BenchmarkFailure("no pipe: \(errorText)") }
        let child = bench_fork()
        if child == 0 {
            close(pipe[0])
            let answer = text(of: body)
            _ = write(pipe[1], answer, answer.utf8.count)
            _exit(0)
        }
        close(pipe[1])
        defer { close(pipe[0]) }
        guard child > 0 else { throw BenchmarkFailure("fork: \(errorText)") }
        let answer = readAll(pipe[0])
        _ = ChildProgram.wait(child)
        let figures = answer.split(separator: " ").compactMap { Int64($0) }
        guard figures.count == 3 else {
            throw BenchmarkFailure(answer.isEmpty ? "a measurement ended without a word" : answer)
        }
        return Lifetime(
            built: .nanoseconds(figures[0]), removed: .nanoseconds(figures[1]), reclaimed: .nanoseconds(figures[2]))
    }

    private static func text(of body: () throws -> Lifetime) -> String {
        do {
            let code = bench_enter_sandbox()
            guard code == 0 else {
                return "namespaces of its own: \(String(cString: strerror(code))) (needs root or user namespaces)"
            }
            let lifetime = try body()
            return [lifetime.built, lifetime.removed, lifetime.reclaimed].map { "\($0.nanoseconds)" }.joined(
                separator: " ")
        } catch {
            return "\(error)"
        }
    }

    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The text of the last system call's error.
var errorText: String { String(cString: strerror(errno)) }

internal import CForwarders
internal import Glibc

/// A program on one processor, which ends with this process however that ends.
final class PinnedProgram {
    private let program: ChildProgram
    let pid: pid_t
    private var hasEnded = false

    /// Starts it in the calling thread's namespace.
    init(_ words: [String], processor: Int32) throws {
        guard bench_pin(processor) == 0 || bench_processor_count() == 1 else {
            throw BenchmarkFailure("no second processor")
        }
        defer { bench_unpin() }
        program = try ChildProgram(["setpriv", "--pdeathsig", "KILL", "--"] + words)
        pid = program.identifier
    }

    /// Ends it.
    func stop() {
        guard !hasEnded else { return }
        hasEnded = true
        kill(pid, SIGKILL)
        program.abandon()
    }

    deinit { stop() }

    /// Its error output.
    var complaint: String { program.lastComplaint }

    /// Processor time of all its threads, with what the kernel did on their behalf.
    var processorTime: Duration {
        get throws {
            // The first of three numbers: nanoseconds on a processor, proc(5).
            var sum: Int64 = 0
            guard let folder = opendir("/proc/\(pid)/task") else {
                throw BenchmarkFailure("a proxy has ended: \(complaint)")
            }
            defer { closedir(folder) }
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
                guard Int32(name) != nil else { continue }
                let text = String(decoding: try TextFile.read("/proc/\(pid)/task/\(name)/schedstat"), as: UTF8.self)
                sum += text.split(separator: " ").first.flatMap { Int64($0) } ?? 0
            }
            return .nanoseconds(sum)
        }
    }

    /// Bytes of its memory that are in RAM.
    var residentMemory: Int {
        get throws {
            let status = String(decoding: try TextFile.read("/proc/\(pid)/status"), as: UTF8.self)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            guard
                let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                    Int($0)
                })
            else { throw BenchmarkFailure("a proxy has ended: \(complaint)") }
            return kilobytes * 1024
        }
    }
}

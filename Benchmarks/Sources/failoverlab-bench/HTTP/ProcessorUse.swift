internal import CForwarders
internal import Glibc
internal import LabTime

/// Processor time used so far: of the whole machine, and of this process and the children that it has waited for.
struct ProcessorUse {
    private let busy: Duration
    private let total: Duration
    private let ours: Duration

    init() throws {
        // `cpu` and ticks for user, nice, system, idle, iowait, irq, softirq, steal: proc_stat(5). Guests are in user.
        let text = String(decoding: try TextFile.read("/proc/stat"), as: UTF8.self)
        let line = text.split(separator: "\n").first ?? ""
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
        guard ticks.count == 8 else { throw BenchmarkFailure("/proc/stat says: \(line)") }
        let tick = Duration.nanoseconds(1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK))))
        total = tick * ticks.reduce(0, +)
        busy = total - tick * (ticks[3] + ticks[4])
        ours = Self.used(__rusage_who_t(RUSAGE_SELF.rawValue)) + Self.used(__rusage_who_t(RUSAGE_CHILDREN.rawValue))
    }

    /// The share of the machine's processor time that others have used since, 0 to 1.
    /// - Parameter own: what running children have used since
    func others(since start: ProcessorUse, own: Duration) -> Double {
        let others = (busy - start.busy) - (ours - start.ours) - own
        return max(0, others / (total - start.total))
    }

    private static func used(_ who: __rusage_who_t) -> Duration {
        var usage = rusage()
        getrusage(who, &usage)
        func duration(_ time: timeval) -> Duration {
            .seconds(Int64(time.tv_sec)) + .microseconds(Int64(time.tv_usec))
        }
        return duration(usage.ru_utime) + duration(usage.ru_stime)
    }
}

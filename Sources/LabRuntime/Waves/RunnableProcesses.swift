internal import Glibc

/// How many processes of this machine are ready to run, this one left out.
public enum RunnableProcesses {
    private static let samples = 8

    /// Averages a few readings within 40 ms. 0 where the kernel does not report it.
    public static func average() -> Double {
        var sum = 0
        for sample in 0..<samples {
            if sample > 0 { usleep(5_000) }
            sum += max(0, (reading() ?? 1) - 1)
        }
        return Double(sum) / Double(samples)
    }

    /// The fourth field of /proc/loadavg: `2/345`, runnable of all. Source: proc_loadavg(5)
    private static func reading() -> Int? {
        guard let words = KernelFile.contents("/proc/loadavg")?.split(separator: " "), words.count > 3 else {
            return nil
        }
        return words[3].split(separator: "/").first.flatMap { Int($0) }
    }
}

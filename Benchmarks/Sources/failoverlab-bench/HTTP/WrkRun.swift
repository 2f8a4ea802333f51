internal import CForwarders
internal import LabTime

/// What wrk found out about a proxy.
struct WrkRun {
    let requests: Int64
    let requestsPerSecond: Double
    let median: Duration
    let percentile99: Duration
    let percentile999: Duration
    /// Of the proxy, for each request.
    var processorTime: Duration = .zero
    /// Of the machine's processor time meanwhile, what went to programs that have no part in it: 0 to 1.
    var others = 0.0

    private static let script = """
        done = function(summary, latency, requests)
          local e = summary.errors
          print(string.format("figures %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
            latency:percentile(99), latency:percentile(99.9), e.connect + e.read + e.write + e.status + e.timeout))
        end
        """

    /// Runs wrk on the second processor in the calling thread's namespace.
    init(seconds: Int, connections: Int, folder: String) throws {
        let path = "\(folder)/latency.lua"
        try TextFile.write(Self.script, to: path)
        _ = bench_pin(1)
        defer { bench_unpin() }
        let answer = try ChildProgram.run([
            "wrk", "-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "5s", "-s", path,
            "http://\(HTTPPath.proxyAddress)/",
        ])
        let line = answer.split(separator: "\n").first { $0.hasPrefix("figures ") } ?? ""
        let figures = line.split(separator: " ").dropFirst().compactMap { Int64($0) }
        guard figures.count == 6, figures[0] > 0, figures[1] > 0 else { throw BenchmarkFailure("wrk said: \(answer)") }
        guard figures[5] == 0 else {
            throw BenchmarkFailure("\(figures[5]) of \(figures[0]) requests failed: \(answer)")
        }
        requests = figures[0]
        requestsPerSecond = Double(figures[0]) / Double(figures[1]) * 1e6
        (median, percentile99, percentile999) = (
            .microseconds(figures[2]), .microseconds(figures[3]), .microseconds(figures[4])
        )
    }
}

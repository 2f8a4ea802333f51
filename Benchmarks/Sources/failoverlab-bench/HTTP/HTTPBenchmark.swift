internal import ArgumentParser
internal import CForwarders
internal import Foundation
internal import LabTime
internal import Netlink

/// Requests per second and their latencies through the HTTP service and through nginx, in turn; then very many clients.
struct HTTPBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract:
            "The HTTP service beside nginx as a reverse proxy: rate, latency, 10,000 clients held, 10,000 slow ones.")

    @Option(help: "Seconds of each measurement.")
    var seconds = 2

    @Option(help: "Measurements of each proxy; they take turns.")
    var repetitions = 7

    @Option(help: "Connections of the load generator.")
    var connections = 64

    @Option(help: "Clients at the same time, held and slow; 0 leaves them out.")
    var clients = 10_000

    func validate() throws {
        guard 1...60 ~= seconds, 1...100 ~= repetitions, 1...1000 ~= connections, 0...15_000 ~= clients else {
            throw ValidationError(
                "--seconds is 1 to 60, --repetitions 1 to 100, --connections 1 to 1000, --clients 0 to 15000.")
        }
    }

    func run() throws {
        // What else runs on this machine disturbs less then, whoever is measured. Without the right to it nothing changes.
        _ = nice(-10)
        do {
            _ = try NetworkNamespace.createAndEnter()
        } catch {
            let code = bench_enter_user_namespace()
            guard code == 0 else {
                throw BenchmarkFailure(
                    "network namespaces need root or user namespaces: \(String(cString: strerror(code)))")
            }
        }
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        files.rlim_cur = files.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        guard files.rlim_cur >= UInt64(clients) + 2000 else {
            throw BenchmarkFailure("\(clients) clients need 'ulimit -Hn' of \(clients + 2000); it is \(files.rlim_cur)")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bench = try HTTPRounds(folder: folder, seconds: seconds, connections: connections)

        var runs: [HTTPContender: [WrkRun]] = [:]
        for repetition in 1...repetitions {
            // Who is measured against each other is measured one after the other, and each is the first one in every other
            // round.
            let order = HTTPContender.allCases
            for contender in repetition % 2 == 1 ? order : order.reversed() {
                BenchmarkProgress.show("round \(repetition) of \(repetitions): \(contender.name)")
                runs[contender, default: []].append(try bench.rate(of: contender))
            }
        }
        var held: [HTTPContender: HeldClients] = [:]
        var slow: SlowClients?
        if clients > 0 {
            for contender in [HTTPContender.multiplexingService, .keepingNginx] {
                BenchmarkProgress.show("\(clients) clients: \(contender.name)")
                held[contender] = try bench.hold(clients, at: contender)
            }
            BenchmarkProgress.show("\(clients) slow clients")
            slow = try bench.bear(clients)
        }
        BenchmarkProgress.show("")
        print(
            HTTPTable(
                runs: runs, held: held, slow: slow, seconds: seconds, connections: connections,
                hasTwoProcessors: bench_processor_count() >= 2
            ).text)
    }
}

/// Clients that keep their connections.
struct HeldClients {
    let clients: Int
    /// Answers with status 200, of two requests of each client while all are connected.
    let served: Int
    /// Of the proxy, for each connection.
    let bytes: Int
}

/// Clients that send half a request and no more.
struct SlowClients {
    let clients: Int
    /// Of them, answered with 408.
    let refused: Int
    /// Of them, still connected at the end.
    let open: Int
    /// Ordinary requests meanwhile.
    let meanwhile: WrkRun
    /// Ordinary requests without the slow clients, right before.
    let before: WrkRun
}

internal import ArgumentParser
internal import CForwarders
internal import Glibc
internal import Netlink

/// Frames per second through one box: plain C, our box, the kernel, in turn.
struct DataplaneBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataplane",
        abstract: "64-byte frames forwarded a second, and the time of a lone frame, beside plain C and the kernel.")

    @Option(help: "Seconds of each measurement.")
    var seconds = 1.0

    @Option(help: "Measurements of each forwarder; they take turns.")
    var repetitions = 5

    @Option(help: "Lone frames, 10 ms apart, whose time through the box is measured.")
    var probes = 100

    func validate() throws {
        guard seconds >= 0.1, seconds <= 60, repetitions >= 1, repetitions <= 100, probes >= 1, probes <= 10_000 else {
            throw ValidationError(
                "--seconds is 0.1 to 60, --repetitions 1 to 100, --probes 1 to 10000.")
        }
    }

    func run() throws {
        print(try Self.measure(Contender.ofDataplane, seconds: seconds, repetitions: repetitions, probes: probes))
    }

    /// Measures forwarders in turn.
    static func measure(_ contenders: [Contender], seconds: Double, repetitions: Int, probes: Int) throws -> String {
        do {
            _ = try NetworkNamespace.createAndEnter()
        } catch {
            let code = bench_enter_user_namespace()
            guard code == 0 else {
                throw BenchmarkFailure(
                    "network namespaces need root or user namespaces: \(String(cString: strerror(code)))")
            }
        }
        // The generator and whoever forwards must not share a core; this thread only sleeps.
        let hasTwoCores = bench_processor_count() >= 2
        var rates: [Contender: [Rate]] = [:]
        for repetition in 1...repetitions {
            for contender in contenders {
                BenchmarkProgress.show("round \(repetition) of \(repetitions): \(contender.name)")
                rates[contender, default: []].append(try Measurement.rate(of: contender, seconds: seconds))
            }
        }
        var latencies: [Contender: [Duration]] = [:]
        for contender in contenders {
            BenchmarkProgress.show("lone frames: \(contender.name)")
            latencies[contender] = try Measurement.latencies(of: contender, probes: probes)
        }
        BenchmarkProgress.show("")
        let table = DataplaneTable(
            contenders: contenders, rates: rates, latencies: latencies, seconds: seconds, repetitions: repetitions,
            hasTwoCores: hasTwoCores)
        return table.text
    }
}

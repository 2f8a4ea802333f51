internal import ArgumentParser

/// The hash that picks members, and the frames a second on each way to them.
struct BalancingBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balancing",
        abstract: "Maglev's table, beside what its authors published, and direct server return beside plain forwarding."
    )

    @Option(help: "Seconds of each measurement of a forwarder.")
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
        BenchmarkProgress.show("Maglev")
        let hashing = MaglevTable.measure()
        let forwarding = try DataplaneBenchmark.measure(
            Contender.ofBalancing, seconds: seconds, repetitions: repetitions, probes: probes)
        print(hashing + "\n\n" + forwarding)
    }
}

internal import ArgumentParser
internal import Foundation
internal import Report
internal import Topology

/// How long existing flows stand still in a failover, beside what the configured timers allow.
struct OutageBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outage",
        abstract: "Every gap of many failovers of a lab's pair, beside the bound of its timers.")

    @Option(help: "Failovers of each variant, one after the other.")
    var repetitions = 20

    @Option(help: "The lab.")
    var lab = "Benchmarks/Labs/outage"

    @Option(help: "Only these variants.")
    var variant: [String] = []

    func validate() throws {
        guard 1...1000 ~= repetitions else { throw ValidationError("--repetitions is 1 to 1000.") }
    }

    func run() throws {
        let executable = ChildProgram.failoverlab
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: output) }
        let chosen = try Lab(path: lab).variants.filter { variant.isEmpty || variant.contains($0.name) }
        guard !chosen.isEmpty else { throw BenchmarkFailure("\(lab) has no such variant") }
        for definition in chosen {
            BenchmarkProgress.show("\(definition.name), \(repetitions) failovers")
            // A variant that fails is shown as well: its gaps are what is asked for.
            let answer = try ChildProgram.run(
                [
                    executable, "run", lab, "--variant", definition.name, "--repeat", "\(repetitions)", "--jobs", "1",
                    "--format", "json", "--output", output,
                ], accepting: [0, 1, 3])
            let verdict = try JSONDecoder().decode(Verdict.self, from: Data(answer.utf8))
            BenchmarkProgress.show("")
            print(OutageTable(definition, DetectionBound(of: definition), verdict.variants).text)
        }
    }
}

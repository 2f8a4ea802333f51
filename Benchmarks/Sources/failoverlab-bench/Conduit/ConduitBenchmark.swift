internal import ArgumentParser
internal import Foundation
internal import Topology

/// How a receiving box spreads what comes through the conduit, by the flow that is carried and by the outer header.
struct ConduitBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conduit",
        abstract: "Frames of the conduit that each worker of the receiving box got, with either way of spreading.")

    @Option(help: "The lab.")
    var lab = "Benchmarks/Labs/conduit"

    @Option(help: "The box that receives.")
    var box = "fw-a"

    /// As a run leaves them in `counters.json`, by node.
    private struct Counter: Decodable {
        var name: String
        var value: UInt64
    }

    func run() throws {
        let executable = ChildProgram.failoverlab
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: output) }
        let lab = try Lab(path: self.lab)
        _ = try ChildProgram.run([executable, "run", self.lab, "--output", output])
        for variant in lab.variants {
            let file = "\(output)/\(lab.name)/latest/\(variant.name)/counters.json"
            let counters = try JSONDecoder().decode(
                [String: [Counter]].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
            let workers = (counters[box] ?? []).filter { $0.name.hasPrefix("conduit.worker.") }.map(\.value)
            guard !workers.isEmpty else { throw BenchmarkFailure("\(box) of \(variant.name) has no conduit") }
            let all = workers.reduce(0, +)
            print("\(variant.name): \(variant.title). \(all) frames")
            for (number, frames) in workers.enumerated() {
                let share = all == 0 ? 0 : Double(frames) / Double(all)
                let bar = String(repeating: "#", count: Int((share * 50).rounded()))
                print("  worker \(number)  \(frames)  \(Int((share * 100).rounded())) %  \(bar)")
            }
        }
    }
}

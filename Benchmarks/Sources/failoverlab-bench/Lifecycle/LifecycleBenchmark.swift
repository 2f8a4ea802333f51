internal import ArgumentParser
internal import CForwarders
internal import Foundation
internal import Topology

/// From nothing to a lab and back, beside `ip` commands and Mininet.
struct LifecycleBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lifecycle",
        abstract: "Building and taking down labs, beside a shell script of ip commands and beside Mininet.")

    @Option(help: "Measurements of each; they take turns.")
    var repetitions = 11

    @Option(help: "Runs of the whole lab, all variants beside each other; 0 leaves them out.")
    var runs = 3

    @Option(help: "The lab for 'up' and 'down' and for the runs.")
    var lab = "Labs/fast-path-mac-failover"

    @Option(help: "The lab whose network alone is built.")
    var network = "Benchmarks/Labs/chain"

    func validate() throws {
        guard 1...1000 ~= repetitions, 0...100 ~= runs else {
            throw ValidationError("--repetitions is 1 to 1000, --runs 0 to 100.")
        }
    }

    func run() throws {
        let executable = ChildProgram.failoverlab
        if geteuid() != 0 {
            let code = bench_enter_user_namespace()
            guard code == 0 else {
                throw BenchmarkFailure(
                    "network namespaces need root or user namespaces: \(String(cString: strerror(code)))")
            }
        }
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: output) }

        let network = try LabNetwork(of: network)
        let lab = try LabNetwork(of: lab)
        var networks = LifecycleComparison(network, title: "The network alone of '\(network.name)'")
        var labs = LifecycleComparison(lab, title: "The lab '\(lab.name)', variant \(lab.variant.name)")
        for repetition in 1...repetitions {
            BenchmarkProgress.show("round \(repetition) of \(repetitions)")
            try networks.measure(.script) { try ScriptedNetwork.measure(network.plan) }
            try networks.measure(.failoverlab("BuiltNetwork")) { try BuiltNetworkMeasurement.measure(network.variant) }
            networks.measureIfPossible(.mininet) { try MininetNetwork.measure(network.plan) }
            try labs.measure(.script) { try ScriptedNetwork.measure(lab.plan) }
            try labs.measure(.failoverlab("up, down")) {
                try WholeLab.measure(self.lab, with: executable, output: output)
            }
            labs.measureIfPossible(.mininet) { try MininetNetwork.measure(lab.plan) }
        }
        var catalogue: [CatalogueTiming] = []
        for run in 0..<runs {
            BenchmarkProgress.show("run \(run + 1) of \(runs)")
            catalogue.append(try CatalogueTiming(self.lab, with: executable, output: output))
        }
        BenchmarkProgress.show("")
        print(
            LifecycleTable(networks: networks, labs: labs, catalogue: catalogue, repetitions: repetitions).text)
    }
}

/// A lab's first variant and the plan of its network.
struct LabNetwork {
    let name: String
    let variant: Variant
    let plan: Plan

    init(of path: String) throws {
        let lab = try Lab(path: path)
        name = lab.name
        variant = lab.variants[0]
        plan = Plan(for: variant)
    }
}

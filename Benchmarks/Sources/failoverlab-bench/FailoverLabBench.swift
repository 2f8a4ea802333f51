internal import ArgumentParser

@main
struct FailoverLabBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failoverlab-bench",
        abstract: "Measures failoverlab beside what it is to be measured against, in one run.",
        subcommands: [
            LifecycleBenchmark.self, DataplaneBenchmark.self, BalancingBenchmark.self, HTTPBenchmark.self,
            SyncBenchmark.self, OutageBenchmark.self, ConduitBenchmark.self, ScaleBenchmark.self,
            HTTPServiceProgram.self,
        ])
}

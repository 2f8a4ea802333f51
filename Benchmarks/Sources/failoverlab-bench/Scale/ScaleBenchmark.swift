internal import ArgumentParser
internal import Foundation
internal import LabTime

/// How labs grow: time and memory of many hosts, every interface captured.
struct ScaleBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Labs of many hosts with all captures: seconds until up, memory, seconds until down.")

    @Option(parsing: .upToNextOption, help: "Numbers of hosts; 100 at each switch.")
    var hosts = [25, 100, 200, 500, 1000]

    func validate() throws {
        guard hosts.allSatisfy({ 2...1900 ~= $0 }) else { throw ValidationError("--hosts are 2 to 1900.") }
    }

    func run() throws {
        let executable = ChildProgram.failoverlab
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var rows: [ScaleTable.Row] = []
        for count in hosts {
            BenchmarkProgress.show("\(count) hosts")
            let lab = "\(folder)/lab.yaml"
            try Self.lab(hosts: count).write(toFile: lab, atomically: true, encoding: .utf8)
            var watch = Stopwatch()
            let id = try ChildProgram.run([executable, "up", lab, "--output", folder])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let up = watch.elapsed
            let memory = LabMemory(of: folder)
            watch = Stopwatch()
            try ChildProgram.run([executable, "down", id])
            rows.append(ScaleTable.Row(hosts: count, up: up, memory: memory, down: watch.elapsed))
        }
        BenchmarkProgress.show("")
        print(ScaleTable(rows).text)
    }

    /// Hosts at switches of a hundred ports, without a box between them.
    private static func lab(hosts: Int) -> String {
        let networks = (0...(hosts - 1) / 100).map { "  lan\($0): { subnet: 10.0.\($0).0/24, switch: on }" }
        let nodes = (0..<hosts).map {
            "  h\($0): { role: client, interfaces: { lan\($0 / 100): 10.0.\($0 / 100).\($0 % 100 + 1) } }"
        }
        return """
            schema: 1
            name: scale-\(getpid())
            title: \(hosts) hosts
            networks:
            \(networks.joined(separator: "\n"))
            nodes:
            \(nodes.joined(separator: "\n"))
            scenario:
              - wait: 100ms
              - fail: { link-up: h0.lan0 }
                as: nothing
            variants:
              plain: { shows: control, expect: [{ event: { name: nothing, count: 1 } }] }

            """
    }
}

/// What the processes of a lab hold, each page shared out among those that share it (Pss of proc_pid_smaps(5)).
struct LabMemory {
    private(set) var processes = 0
    private(set) var kibibytes = 0

    /// - Parameter folder: where the lab's runs are; all its processes have their standard output in a log below it
    init(of folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(name) != nil {
            guard let output = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/fd/1"),
                output.hasPrefix(folder + "/"),
                let file = FileHandle(forReadingAtPath: "/proc/\(name)/smaps_rollup"),
                let text = try? file.readToEnd().map({ String(decoding: $0, as: UTF8.self) })
            else { continue }
            processes += 1
            for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
                kibibytes += line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            }
        }
    }
}

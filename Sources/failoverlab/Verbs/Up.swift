internal import ArgumentParser
internal import EventLoop
internal import Glibc
internal import LabRuntime
internal import LabTime
internal import Topology

struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds a lab and leaves it up: every role ready, every interface captured, no traffic.",
        discussion: "Then: failoverlab status, exec, shell, fail; and failoverlab down.")

    @Argument(help: "The lab's folder, file or name.")
    var lab: String

    @Option(help: "Which variant; the first one unless given.")
    var variant: String?

    @Option(help: "Where runs are kept.")
    var output = "runs"

    func run() throws {
        let lab = try LabArgument.load(lab)
        guard let variant = variant.map({ lab.variant(named: $0) }) ?? lab.variants.first else {
            throw Complaint(text: VariantSelection.unknown(variant ?? "", of: lab), exitCode: 2)
        }
        let runs = try RunsFolder(in: output, lab: lab.name, at: .now())
        let loop = try EventLoop()
        let process = try LabProcess(
            variant, of: lab.name, folder: runs.folder(of: variant.name, repetition: 1, of: 1), task: .orders, on: loop)
        var failure: LabFailure?
        var readyAfter: Duration?
        process.onReport = { report in
            switch report {
            case .ready(let after):
                readyAfter = after
                process.release()
                loop.stop()
            default: break
            }
        }
        process.onEnd = {
            if case .failed(let reason) = process.outcome { failure = reason }
            loop.stop()
        }
        try loop.handleSignals([SIGCHLD, SIGINT, SIGTERM]) { signal in
            if signal == SIGCHLD {
                for (pid, _) in ChildReaper.reap() { _ = process.childEnded(pid) }
            } else {
                process.stop()
            }
        }
        loop.run()
        if let failure { throw failure }
        Console.answer("\(process.running.id)\n")
        let tenths = Int((readyAfter ?? .zero).milliseconds.rounded())
        Console.complain(
            "Up after \(tenths) ms; captures in \(process.folder.path). Try: failoverlab exec \(variant.nodes[0].name) -- ip addr"
        )
    }
}

/// Which variants of a lab a person asks for.
enum VariantSelection {
    static func unknown(_ name: String, of lab: Lab) -> String {
        "failoverlab: lab '\(lab.name)' has no variant '\(name)'; it has \(lab.variants.map(\.name).joined(separator: ", "))"
    }

    /// Names, or patterns with `*`; without any, all that do not wait to be named.
    static func variants(_ names: [String], of lab: Lab) throws -> [Variant] {
        guard !names.isEmpty else {
            let unasked = lab.variants.filter { !$0.isOnRequest }
            if unasked.isEmpty {
                throw Complaint(
                    text: "failoverlab: every variant of lab '\(lab.name)' runs on request; name one with --variant: "
                        + lab.variants.map(\.name).joined(separator: ", "), exitCode: 2)
            }
            return unasked
        }
        for name in names where !lab.variants.contains(where: { matches(name, $0.name) }) {
            throw Complaint(text: unknown(name, of: lab), exitCode: 2)
        }
        return lab.variants.filter { variant in names.contains { matches($0, variant.name) } }
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool { fnmatch(pattern, name, 0) == 0 }
}

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

    @Option(help: "The variant (default: the first one).")
    var variant: String?

    @Option(help: "The folder for runs.")
    var output = "runs"

    @Option(
        help: ArgumentHelp(
            "Size limit of the captures. Beyond it the newest frames are kept: captures continue in new files, and the oldest are removed.",
            valueName: "size"))
    var captureLimit = ByteCount.captureLimitOfUp

    @OptionGroup var seedOption: SeedOption

    func validate() throws { try captureLimit.checkCaptureLimit() }

    func run() throws {
        let lab = try LabArgument.load(lab, seed: seedOption.seed)
        let variant = try VariantSelection.variant(variant, of: lab)
        try ImagePreparation.prepare([variant], of: lab)
        let runs = try RunsFolder(in: output, lab: lab.name, at: .now())
        let loop = try EventLoop()
        var process: LabProcess?
        // Before there is a child: the end of one that dies at once would be missed.
        try loop.handleSignals([SIGCHLD, SIGINT, SIGTERM]) { signal in
            if signal == SIGCHLD {
                for (pid, _) in ChildReaper.reap() { _ = process?.childEnded(pid) }
            } else {
                process?.stop()
            }
        }
        let started = try LabProcess(
            variant, of: lab.name, folder: runs.folder(of: variant.name, repetition: 1, of: 1), task: .orders,
            captureLimit: captureLimit.bytes, on: loop)
        process = started
        var failure: LabFailure?
        var readyAfter: Duration?
        started.onReport = { [unowned started] report in
            guard case .ready(let after) = report else { return }
            readyAfter = after
            started.release()
            loop.stop()
        }
        started.onEnd = { [unowned started] in
            if case .failed(let reason) = started.outcome { failure = reason }
            loop.stop()
        }
        loop.run()
        if let failure { throw failure }
        Console.answer("\(started.running.id)\n")
        let tenths = Int((readyAfter ?? .zero).milliseconds.rounded())
        Console.complain(
            "Up after \(tenths) ms; captures in \(started.folder.path), the newest \(captureLimit). Try: failoverlab exec \(variant.nodes[0].name) -- ip addr"
        )
    }
}

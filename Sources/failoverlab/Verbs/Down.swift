internal import ArgumentParser
internal import LabRuntime

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends a lab and waits until the kernel has reclaimed it; captures stay.",
        discussion: "A lab of a 'run' in progress is left alone unless you name it or add --runs.")

    @Flag(help: "Every lab of this user that stays up.")
    var all = false

    @Flag(help: "Also labs of a 'run' in progress; with --all.")
    var runs = false

    @Argument(help: "The lab's name or id; not needed where only one is up.")
    var lab: String?

    func validate() throws {
        if runs && !all { throw ValidationError("--runs goes with --all: failoverlab down --all --runs") }
    }

    func run() throws {
        if all {
            try endAll()
        } else if lab != nil {
            try RunningLab.named(lab).down()
        } else {
            let all = RunningLab.all()
            let (staying, ofRuns) = Self.separate(all)
            if staying.isEmpty, !ofRuns.isEmpty {
                throw LabFailure(
                    .lab, "no lab is up but those of a run in progress: \(Self.list(ofRuns))",
                    remedy: "name one to end it, end the run with Ctrl-C, or: failoverlab down --all --runs")
            }
            try RunningLab.named(nil, among: staying).down()
        }
    }

    private func endAll() throws {
        let (staying, ofRuns) = Self.separate(RunningLab.all())
        var failures: [LabFailure] = []
        for lab in staying + (runs ? ofRuns.map(\.lab) : []) {
            do {
                try lab.down()
            } catch {
                // One that has ended meanwhile is down as well.
                if RunningLab.all().contains(lab) { failures.append(error) }
            }
        }
        if !runs, !ofRuns.isEmpty {
            Console.complain("Left alone, of a run in progress (--runs ends them too): \(Self.list(ofRuns))")
        }
        if let first = failures.first { throw first }
    }

    private typealias OfRun = (lab: RunningLab, command: Int32)

    /// A lab that does not answer counts as one that stays up: only its end can help.
    private static func separate(_ labs: [RunningLab]) -> (staying: [RunningLab], ofRuns: [OfRun]) {
        var (staying, ofRuns): ([RunningLab], [OfRun]) = ([], [])
        for lab in labs {
            if let command = (try? lab.status())?.run { ofRuns.append((lab, command)) } else { staying.append(lab) }
        }
        return (staying, ofRuns)
    }

    private static func list(_ ofRuns: [OfRun]) -> String {
        ofRuns.map { "\($0.lab.id) (of process \($0.command))" }.joined(separator: ", ")
    }
}

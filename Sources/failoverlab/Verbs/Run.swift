internal import ArgumentParser
internal import EventLoop
internal import Expectation
internal import Glibc
internal import LabRuntime
internal import LabTime
internal import Report
internal import Topology

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds a lab, plays its scenario, judges the captures, and takes everything down.",
        discussion: "Variants run beside each other. The verdict goes to standard output, progress to standard error.")

    @Argument(help: "The lab's folder, file or name.")
    var lab: String

    @Option(parsing: .singleValue, help: "Only this variant (several times, or with '*').")
    var variant: [String] = []

    @OptionGroup var output: OutputOptions

    @Option(name: .customLong("output"), help: "Where runs are kept.")
    var folder = "runs"

    @Option(help: "Run everything so many times; one failure fails all.")
    var `repeat` = 1

    @Option(help: "How many variants run beside each other; all of them, up to 8 a core, unless given.")
    var jobs: Int?

    @Option(help: "Seconds after which a variant is ended.")
    var timeout: Double?

    @OptionGroup var chance: SeedOption

    @Flag(help: "Leave the labs up afterwards.")
    var keep = false

    @Flag(help: "Leave the labs up whose verdict is not pass.")
    var keepOnFailure = false

    private static let mostRepetitions = 10_000
    /// Of variants and repetitions together.
    private static let mostRuns = 100_000

    func validate() throws {
        if !(1...Self.mostRepetitions).contains(`repeat`) {
            throw ValidationError("--repeat takes a number from 1 to \(Self.mostRepetitions)")
        }
        if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number from 1") }
        if let timeout, !(timeout > 0 && timeout <= 86_400) {
            throw ValidationError("--timeout takes seconds above 0, at most 86400")
        }
    }

    func run() throws {
        let lab = try LabArgument.load(lab, seed: chance.seed)
        let variants = try VariantSelection.variants(variant, of: lab)
        if variants.count * `repeat` > Self.mostRuns {
            throw Complaint(
                text: "failoverlab: \(variants.count) variants × \(`repeat`) repetitions are \(variants.count * `repeat`) runs; at most \(Self.mostRuns) are allowed: name variants with --variant, or repeat less",
                exitCode: 2)
        }
        chance.tell(of: variants)
        let runs = try RunsFolder(in: folder, lab: lab.name, at: .now())
        let jobs = (1...`repeat`).flatMap { repetition in
            variants.map { variant in
                Session.Job(
                    variant: variant,
                    folder: runs.folder(of: variant.name, repetition: repetition, of: `repeat`), repetition: repetition)
            }
        }
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let session = try Session(
            lab, jobs: jobs, beside: self.jobs ?? max(1, cores * 8), timeout: timeout.map { .seconds($0) },
            stays: keep || keepOnFailure)
        var judged = [Judgement?](repeating: nil, count: jobs.count)
        var kept: [String] = []
        session.onKept = { kept.append($0.id) }
        session.onEnd = { number, job, report in
            let judgement = Judgement(
                of: job.variant, in: job.folder, repetition: `repeat` == 1 ? nil : job.repetition, supervisor: report)
            judged[number] = judgement
            return keep || keepOnFailure && judgement.verdict != .pass
        }
        let names = jobs.map { `repeat` == 1 ? $0.variant.name : "\($0.variant.name) #\($0.repetition)" }
        session.run(progress: Progress(names: names, isWanted: true))
        if !kept.isEmpty {
            Console.complain(
                "Still up: \(kept.joined(separator: ", ")). End one with 'down ID', all with 'down --all'.")
        }
        try output.conclude(
            judged.compactMap { $0 }, named: lab.name, title: lab.title, in: runs.path)
    }
}

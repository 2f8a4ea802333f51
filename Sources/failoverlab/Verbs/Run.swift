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
        abstract: "Builds a lab, plays its scenario, evaluates the captures, and takes everything down.",
        discussion:
            "Variants run in parallel, in waves. The verdict goes to standard output, progress to standard error."
    )

    @Argument(help: "The lab's folder, file or name.")
    var lab: String

    @Option(parsing: .singleValue, help: "Only this variant (several times, or with '*').")
    var variant: [String] = []

    @OptionGroup var output: OutputOptions

    @Option(name: .customLong("output"), help: "The folder for runs.")
    var folder = "runs"

    @Option(help: "Run everything this many times; one failure fails all.")
    var `repeat` = 1

    @Option(help: "How many variants run in parallel (default: as many as run on time, up to 8 per core).")
    var jobs: Int?

    @Option(
        help: "How often an inconclusive variant is run again, alone, after all others; 0 for never.")
    var rerunInconclusive = 2

    @Option(help: "Time limit of a variant in seconds.")
    var timeout: Double?

    @Option(
        help: ArgumentHelp(
            "Size limit of a variant's captures. Frames beyond it are left out, and the variant is inconclusive.",
            valueName: "size"))
    var captureLimit = ByteCount.captureLimitOfRun

    @OptionGroup var seedOption: SeedOption

    @Flag(help: "Leave the labs up afterwards.")
    var keep = false

    @Flag(help: "Leave the labs up whose verdict is not pass.")
    var keepOnFailure = false

    private static let mostRepetitions = 10_000
    /// Of variants and repetitions together.
    private static let mostRuns = 100_000

    func validate() throws {
        try captureLimit.checkCaptureLimit()
        if !(1...Self.mostRepetitions).contains(`repeat`) {
            throw ValidationError("--repeat takes a number from 1 to \(Self.mostRepetitions)")
        }
        if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number from 1") }
        if !(0...100).contains(rerunInconclusive) {
            throw ValidationError("--rerun-inconclusive takes a number from 0 to 100")
        }
        if let timeout, !(timeout > 0 && timeout <= 86_400) {
            throw ValidationError("--timeout takes seconds above 0, at most 86400")
        }
    }

    func run() throws {
        let lab = try LabArgument.load(lab, seed: seedOption.seed)
        let variants = try VariantSelection.variants(variant, of: lab)
        if variants.count * `repeat` > Self.mostRuns {
            throw Complaint(
                text:
                    "failoverlab: \(variants.count) variants × \(`repeat`) repetitions are \(variants.count * `repeat`) runs; at most \(Self.mostRuns) are allowed: name variants with --variant, or lower --repeat",
                exitCode: 2)
        }
        seedOption.complain(about: variants)
        try ImagePreparation.prepare(variants, of: lab)
        let runs = try RunsFolder(in: folder, lab: lab.name, at: .now())
        let jobs = (1...`repeat`).flatMap { repetition in
            variants.map { variant in
                WaveScheduler.Job(
                    variant: variant,
                    folder: runs.folder(of: variant.name, repetition: repetition, of: `repeat`), repetition: repetition)
            }
        }
        let width =
            self.jobs.map { WaveWidth.fixed($0) }
            ?? .adaptive(cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)), others: RunnableProcesses.average())
        let scheduler = try WaveScheduler(
            lab, jobs: jobs, width: width, timeout: timeout.map { .seconds($0) }, stays: keep || keepOnFailure,
            captureLimit: captureLimit.bytes)
        var judgements = [Judgement?](repeating: nil, count: jobs.count)
        var earlier = [[EarlierAttempt]](repeating: [], count: jobs.count)
        var kept: [String] = []
        scheduler.onKept = { kept.append($0.id) }
        scheduler.onEnd = { number, job, report in
            var judgement = Judgement(
                of: job.variant, in: job.folder, repetition: `repeat` == 1 ? nil : job.repetition, supervisor: report)
            if judgement.mayDifferAgain, earlier[number].count < rerunInconclusive,
                let aside = runs.setAside(job.folder, attempt: earlier[number].count + 1)
            {
                earlier[number].append(EarlierAttempt(judgement.reason, folder: aside))
                return .again
            }
            judgement.variant.earlierAttempts = earlier[number].isEmpty ? nil : earlier[number]
            judgements[number] = judgement
            return keep || keepOnFailure && judgement.verdict != .pass ? .keep : .end
        }
        let names = jobs.map { `repeat` == 1 ? $0.variant.name : "\($0.variant.name) #\($0.repetition)" }
        scheduler.run(progress: Progress(names: names, isWanted: true))
        if !kept.isEmpty {
            Console.complain(
                "Still up: \(kept.joined(separator: ", ")). End one with 'down ID', all with 'down --all'.")
        }
        try output.conclude(
            judgements.compactMap { $0 }, named: lab.name, title: lab.title, in: runs.path)
    }
}

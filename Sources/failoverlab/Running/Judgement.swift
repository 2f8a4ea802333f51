internal import Capture
internal import Evidence
internal import Expectation
internal import Integrity
internal import LabRuntime
internal import LabTime
internal import Report
internal import Topology

/// The result of one variant: evaluated from the files of its run folder alone.
struct Judgement {
    var variant: VariantVerdict
    let folder: RunFolder
    /// Why the lab did not reach the end of its scenario.
    let failure: LabFailure?

    var verdict: ExpectationVerdict { variant.verdict }

    /// - Parameters:
    ///   - repetition: which time it was, where everything was run several times
    ///   - supervisor: its last word; nil for a saved run
    init(of variant: Variant, in folder: RunFolder, repetition: Int?, supervisor: SupervisorReport?) {
        self.folder = folder
        if case .failed(let failure) = supervisor {
            self.failure = failure
            // What there is of it, for a person who looks for the reason.
            let left = RunRecord(whatIsLeftIn: folder)
            self.variant = VariantVerdict(
                name: variant.name, repetition: repetition, shows: variant.shows.rawValue, seconds: left.seconds,
                evidence: RunEvidence(
                    events: left.events, traffic: left.traffic, captures: left.captures, logs: left.accessLogs,
                    source: CaptureFolder(path: folder.path)),
                results: [], problem: "\(failure)", seed: variant.seed)
            return
        }
        do {
            let record = try RunRecord(reading: folder)
            var evidence = RunEvidence(
                events: record.events, traffic: record.traffic, captures: record.captures, logs: record.accessLogs,
                source: CaptureFolder(path: folder.path))
            evidence.counters = record.counters
            evidence.delays = record.delays
            evidence.logGaps = record.accessLogGaps
            evidence.fileGaps = record.fileGaps
            let results = ExpectationEvaluator(evidence).evaluate(variant.expectations)
            self.variant = VariantVerdict(
                name: variant.name, repetition: repetition, shows: variant.shows.rawValue, seconds: record.seconds,
                evidence: evidence,
                results: results, seed: variant.seed, integrity: IntegrityExamination(of: variant, record).report())
            let served = variant.servedPorts
            self.variant.serves =
                served.isEmpty
                ? nil : served.map { ServedPortEntry(node: $0.node, port: $0.port, server: $0.server) }
            failure = nil
        } catch {
            failure = error
            self.variant = VariantVerdict(
                name: variant.name, repetition: repetition, shows: variant.shows.rawValue, seconds: 0,
                problem: "\(error)",
                seed: variant.seed)
        }
    }

    /// Whether the same variant may be decided when it runs again: its evidence did not decide, and nobody has ended it
    /// or limited its time.
    var mayDifferAgain: Bool {
        verdict == .inconclusive && !reachedCaptureLimit
            && (failure == nil || failure?.kind == .undecided && failure?.isLimit == false)
    }

    /// It would reach the same limit again.
    private var reachedCaptureLimit: Bool {
        variant.integrity?.findings.contains { $0.kind == .captureLimit } ?? false
    }

    /// Why it is inconclusive, in one sentence.
    var reason: String {
        variant.problem ?? variant.expectations.first { $0.verdict == .inconclusive }?.seen
            ?? variant.integrity?.findings.first?.what ?? "no result was decided"
    }

    /// A variant of a saved run of which not even its lab file can be read.
    init(of part: SavedRun.Part, damaged problem: String) {
        folder = part.folder
        failure = nil
        variant = VariantVerdict(
            name: part.name, repetition: part.repetition, shows: "unknown", seconds: 0, problem: problem)
    }

    /// The code with which a run of this variant alone ends.
    var exitCode: Report.ExitCode { failure?.reportedCode ?? Report.ExitCode(verdict) }
}

extension LabFailure {
    var reportedCode: Report.ExitCode {
        switch kind {
        case .lab, .silent: .laboratory
        case .host: .host
        case .undecided: .inconclusive
        case .usage: .usage
        case .interrupted: .interrupted
        }
    }
}

internal import Evidence
internal import LabTime

/// A capture that was read from its first byte to its last.
struct ExaminedCapture {
    let summary: CaptureSummary
    private let record: FileRecord?
    private let digest: EvidenceDigest
    private let problem: String?
    private let isMissing: Bool
    let frames: Int
    private(set) var samples: [FrameSample]
    private var hasAllSamples: Bool

    init(_ summary: CaptureSummary, record: FileRecord?, in files: any EvidenceBytes) {
        self.summary = summary
        self.record = record
        var (scan, digest) = (CaptureScan(), EvidenceDigest())
        do {
            try files.visit(summary.path) { chunk in
                digest.update(chunk)
                scan.consume(chunk)
            }
            scan.finish()
            problem = scan.problem
            isMissing = false
        } catch {
            problem = "\(error)"
            isMissing = true
        }
        self.digest = digest
        frames = scan.frames
        samples = scan.samples
        hasAllSamples = scan.hasAllSamples
    }

    mutating func forgetSamples() {
        samples = []
        hasAllSamples = false
    }

    /// Whether every frame that passed is in the file.
    var isLossless: Bool { summary.isLossless }
    /// Whether a frame that it does not hold was not there.
    var isComparable: Bool { hasAllSamples && isLossless && problem == nil && frames == summary.frames }

    /// What is wrong with the file itself.
    func findings(
        within span: ClosedRange<Timestamp>?, edge: Duration, backwards: Duration
    ) -> [IntegrityFinding] {
        let path = summary.path
        if let problem { return [IntegrityFinding(isMissing ? .missingFile : .changedFile, problem, file: path)] }
        if frames != summary.frames {
            return [
                IntegrityFinding(
                    .frameCount, "it has \(frames) frames, but the run captured \(summary.frames)", file: path)
            ]
        }
        if let finding = record?.finding(digest, lines: 0) { return [finding] }
        var findings: [IntegrityFinding] = []
        if summary.leftOut > 0 {
            let since = summary.losses.first { $0.cause == .captureLimit }.map { " from \($0.from) on" } ?? ""
            findings.append(
                IntegrityFinding(
                    .captureLimit, "frames were left out\(since), because the captures had reached --capture-limit",
                    file: path, count: summary.leftOut))
        }
        if let span {
            let bounds = (span.lowerBound - edge).nanoseconds...(span.upperBound + edge).nanoseconds
            let outside = samples.indices.filter { !bounds.contains(samples[$0].time) }
            if let first = outside.first {
                findings.append(
                    IntegrityFinding(
                        .time,
                        "a frame of \(Timestamp(nanoseconds: samples[first].time)) lies outside the run, which lasted from \(span.lowerBound) to \(span.upperBound)",
                        file: path, frame: first + 1, count: outside.count))
            }
        }
        var latest = Int64.min
        var steps: [(number: Int, by: Int64)] = []
        for (number, sample) in samples.enumerated() {
            if latest > sample.time, latest - sample.time > backwards.nanoseconds {
                steps.append((number, latest - sample.time))
            }
            latest = max(latest, sample.time)
        }
        if let first = steps.first {
            findings.append(
                IntegrityFinding(
                    .time, "time runs backwards by \(first.by / 1_000_000) ms", file: path, frame: first.number + 1,
                    count: steps.count))
        }
        return findings
    }
}

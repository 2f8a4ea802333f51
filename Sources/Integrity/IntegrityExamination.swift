public import Evidence
public import LabTime
internal import Wire

/// Examines a variant's whole evidence, whatever its expectations name.
///
/// | question | by |
/// |---|---|
/// | is each file what the run wrote? | length and digest, recorded when the run was complete |
/// | is each capture whole? | its format, the number of its frames, their times |
/// | do captures agree? | both ends of a cable hold the same frames, on one clock |
/// | are the frames valid? | checksums, packets that are repeated, stations that the lab does not have |
/// | do boxes forward what they receive? | packets that leave without having entered, or enter and vanish uncounted |
public struct IntegrityExamination {
    /// Of the run's own times, which are taken before its first frame and after its last.
    static let edge = Duration.seconds(1)
    /// How far records may run backwards: a frame waits between its stamp and its record. Seen: 0.12 ms.
    static let backwards = Duration.milliseconds(250)
    /// A step of the wall clock that matters.
    static let leastStep = Duration.milliseconds(2)
    /// Frames of all captures of a variant that are kept to be compared; some 80 bytes each.
    static let mostSamples = 2_000_000

    public var stations: LabStations
    public var captures: [CaptureSummary]
    /// From the supervisor's start until everything was captured; nil where that is not known.
    public var span: ClosedRange<Timestamp>?
    /// From the first event to the last stop of traffic or fault: captures begin before it and end after it, one by one,
    /// so that outside of it one end of a cable may hold a frame and the other not. nil where there were no such events.
    public var play: ClosedRange<Timestamp>?
    /// Events that every complete run of the variant has.
    public var ownEvents: [String]
    /// What the run recorded of its files; nil in a run of a version that did not.
    public var records: [FileRecord]?
    /// How far the wall clock was set during the run.
    public var clockStep: Duration?
    /// Of the run's events and traffic, for whether they lie within it.
    public var events: [LabEvent]
    /// Events that are missing because there were too many of them.
    private var eventGap: RecordGap? { events.lazy.compactMap(\.leftOut).first }
    public var flowTimes: [(program: String, time: Timestamp)]
    public var files: any EvidenceBytes

    public init(
        stations: LabStations, captures: [CaptureSummary], span: ClosedRange<Timestamp>?,
        play: ClosedRange<Timestamp>?, ownEvents: [String], records: [FileRecord]?,
        clockStep: Duration?, events: [LabEvent], flowTimes: [(program: String, time: Timestamp)],
        files: any EvidenceBytes
    ) {
        self.stations = stations
        self.captures = captures
        self.span = span
        self.play = play
        self.ownEvents = ownEvents
        self.records = records
        self.clockStep = clockStep
        self.events = events
        self.flowTimes = flowTimes
        self.files = files
    }

    /// - Complexity: one pass over every file, linear in the number of frames
    public func report() -> IntegrityReport {
        var findings = examineFiles()
        var unexamined: [String] = []
        if records == nil {
            unexamined.append(
                "this run has no digests of its files, as earlier versions wrote none: events, logs and figures may be truncated"
            )
        }
        if let eventGap {
            unexamined.append(
                "\(eventGap.count) events are missing since \(eventGap.from), the limit of events.jsonl: from then on neither cables nor boxes were compared"
            )
        }
        findings += missingCaptures() + examineTimes()
        var read: [LabStations.Point: ExaminedCapture] = [:]
        var kept = 0
        for summary in captures {
            var capture = ExaminedCapture(summary, record: record(of: summary.path), in: files)
            findings += capture.findings(within: span, edge: Self.edge, backwards: Self.backwards)
            kept += capture.samples.count
            if kept > Self.mostSamples { capture.forgetSamples() }
            read[LabStations.Point(node: summary.node, interface: summary.interface)] = capture
        }
        if kept > Self.mostSamples {
            unexamined.append("more than \(Self.mostSamples) frames: not all cables and boxes were compared")
        }
        // Cables of one node's interfaces first, in the order of the lab.
        var directions: [LabStations.Point: [Bool?]] = [:]
        var compared = 0
        for cable in stations.cables {
            guard let near = read[cable.near], let far = read[cable.far], near.isComparable, far.isComparable else {
                continue
            }
            let comparison = CableComparison(
                near: near.samples, far: far.samples, nearAddress: cable.nearAddress?.packed,
                farAddress: cable.farAddress?.packed)
            compared += 1
            directions[cable.near] = comparison.isSentAtNear
            findings += CableFindings(
                cable: cable, near: near, far: far, play: play, mayDuplicate: stations.mayDuplicate
            ).findings(comparison)
        }
        let lossy = read.values.filter { !$0.isLossless }.map(\.summary.path).sorted()
        if !lossy.isEmpty {
            unexamined.append("frames are missing, so these cables were not compared: \(lossy.joined(separator: ", "))")
        }
        findings += FrameFindings(stations: stations).findings(
            captures.compactMap { summary in
                read[LabStations.Point(node: summary.node, interface: summary.interface)]
            })
        findings += BoxFindings(stations: stations, captures: read, directions: directions, play: play).findings
        return IntegrityReport(
            captures: read.count, frames: read.values.reduce(0) { $0 + $1.frames }, cables: compared,
            findings: findings, unexamined: unexamined)
    }

    private func record(of path: String) -> FileRecord? { records?.first { $0.path == path } }

    /// Every file but captures, which are read once for everything.
    private func examineFiles() -> [IntegrityFinding] {
        let paths = Set(captures.map(\.path))
        return (records ?? []).filter { !paths.contains($0.path) }.compactMap { record in
            var (digest, lines) = (EvidenceDigest(), 0)
            do {
                try files.visit(record.path) { chunk in
                    // A node may still log a request while its lab is taken down; that is no evidence.
                    let left = record.mayGrow ? max(0, record.bytes - digest.count) : chunk.count
                    digest.update(UnsafeRawBufferPointer(rebasing: chunk.prefix(left)))
                    if record.lines != nil { lines += chunk.prefix(left).count { $0 == UInt8(ascii: "\n") } }
                }
            } catch {
                return IntegrityFinding(.missingFile, "\(error)", file: record.path)
            }
            return record.finding(digest, lines: lines)
        }
    }

    private func examineTimes() -> [IntegrityFinding] {
        var findings: [IntegrityFinding] = []
        if let clockStep, clockStep.nanoseconds.magnitude > Self.leastStep.nanoseconds.magnitude {
            findings.append(
                IntegrityFinding(
                    .clock, "the wall clock was stepped by \(clockStep.nanoseconds / 1_000_000) ms during the run",
                    file: "run.json"))
        }
        let names = Set(events.map(\.name))
        let missing = ownEvents.filter { !names.contains($0) }
        // One of a scenario may be among those that were left out.
        if let first = missing.first, eventGap == nil {
            findings.append(
                IntegrityFinding(
                    .changedFile, "the scenario's event \(first) is missing", file: "events.jsonl",
                    count: missing.count))
        }
        guard let span else { return findings }
        let bounds = span.lowerBound - Self.edge...span.upperBound + Self.edge
        func outside(_ what: String, _ times: [Timestamp], in file: String) {
            let outside = times.filter { !bounds.contains($0) }
            guard let first = outside.first else { return }
            findings.append(
                IntegrityFinding(
                    .time,
                    "\(what) at \(first) lies outside the run, which lasted from \(span.lowerBound) to \(span.upperBound)",
                    file: file, count: outside.count))
        }
        outside("an event", events.map(\.time), in: "events.jsonl")
        outside("a flow's begin or end", flowTimes.map(\.time), in: "traffic.json")
        return findings
    }

    private func missingCaptures() -> [IntegrityFinding] {
        let listed = Set(captures.map { LabStations.Point(node: $0.node, interface: $0.interface) })
        let missing = stations.points.filter { !listed.contains($0) }.map {
            IntegrityFinding(
                .missingFile, "captures.json lists no capture of \($0.node).\($0.interface), which the lab captures",
                file: "captures.json")
        }
        return missing
            + (Set(captures.map(\.path)).count == captures.count
                ? []
                : [
                    IntegrityFinding(.changedFile, "captures.json lists a file twice", file: "captures.json")
                ])
    }
}

extension FileRecord {
    /// Logs of a node's own, which it closes when the lab ends.
    var mayGrow: Bool { path.hasPrefix("logs/") }

    /// nil where the file is what was recorded.
    func finding(_ digest: EvidenceDigest, lines seen: Int) -> IntegrityFinding? {
        if let lines, seen != lines {
            return IntegrityFinding(.changedFile, "it has \(seen) lines, but the run wrote \(lines)", file: path)
        }
        if digest.count != bytes {
            return IntegrityFinding(
                .changedFile, "it has \(digest.count) bytes, but the run wrote \(bytes)", file: path)
        }
        guard digest.text != self.digest else { return nil }
        return IntegrityFinding(.changedFile, "its digest is not the one that the run recorded", file: path)
    }
}

internal import Evidence
internal import Integrity
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology

/// Writes what a run leaves in its folder.
final class RunRecorder {
    let folder: RunFolder
    private var journal: Journal
    /// Writes the logs of nodes and programs; nil until the network is built.
    private(set) var logs: RunLogs!
    private var results: [String: TrafficResult] = [:]
    private var counters: [String: [CounterReading]] = [:]

    init(_ folder: RunFolder) throws(LabFailure) {
        self.folder = folder
        journal = try Journal(path: folder.events)
    }

    /// The process makes no namespaces any more.
    func beginLogs() throws(LabFailure) { logs = try RunLogs() }

    func append(_ event: LabEvent) throws(LabFailure) { try journal.append(event) }

    func keep(_ result: TrafficResult) { results[result.program.name] = result }

    func keep(_ readings: [CounterReading], of node: String) { counters[node] = readings }

    /// The last lines of a log, indented, below their heading.
    func lastLines(of log: String, most: Int = 8) -> String {
        let lines = logs.lastLines(of: log, most: most)
        if lines.isEmpty { return "; it logged nothing" }
        return "; its last lines, of \(log):" + lines.map { "\n    \($0)" }.joined()
    }

    // MARK: The end of a run

    /// Of a run that did not finish: its captures can still be examined, with their drops.
    func writeWhatIsLeft(_ delays: RunDelays) {
        try? RunFolder.write(JSONLine.encode(delays.delays), to: folder.delays)
    }

    func writeWhatIsLeft(_ summaries: [CaptureSummary]) {
        try? RunFolder.write(JSONLine.encode(summaries), to: folder.captureSummaries)
    }

    /// `run.json` is written last.
    /// - Parameter programs: in the order of their results
    func complete(
        _ programs: [TrafficProgram], _ summaries: [CaptureSummary], _ watch: RunWatch
    ) throws(LabFailure) {
        try RunFolder.write(JSONLine.encode(programs.compactMap { results[$0.name] }), to: folder.traffic)
        try RunFolder.write(JSONLine.encode(summaries), to: folder.captureSummaries)
        try RunFolder.write(JSONLine.encode(counters), to: folder.counters)
        try RunFolder.write(JSONLine.encode(watch.delays.delays), to: folder.delays)
        journal.finish()
        try logs.finishRequests()
        watch.lookAtClock()
        let summary = RunSummary(
            started: watch.startedAt, seconds: watch.elapsed.milliseconds / 1000,
            files: try FolderBytes(folder).records(of: summaries),
            clockStepMilliseconds: watch.largestClockStep.milliseconds, leftOut: gaps)
        try RunFolder.write(JSONLine.encode(summary), to: folder.run)
    }

    /// Manual changes of the lab from now on are no evidence of the run.
    func beginLaterEvents() throws(LabFailure) { journal = try Journal(path: folder.laterEvents) }

    /// What is missing in the run's files because of their limits; nil where nothing is.
    private var gaps: [FileGap]? {
        let all = [(folder.events, journal.gap)] + logs.gaps.map { ($0.path, $0.gap) }
        let gaps = all.compactMap { path, gap in
            gap.map {
                FileGap(
                    path: String(path.dropFirst(folder.path.count + 1)), offset: $0.offset, bytes: $0.bytes,
                    lines: $0.lines)
            }
        }
        return gaps.isEmpty ? nil : gaps
    }
}

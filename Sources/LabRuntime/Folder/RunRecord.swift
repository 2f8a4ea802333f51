internal import Appliances
public import Evidence
public import Integrity
internal import LabEvents
public import LabTime
public import Measurement

/// What a supervisor leaves of a variant, read back for the evaluation; all of it comes from files of the run's folder.
public struct RunRecord: Sendable {
    public var folder: RunFolder
    public var events: [LabEvent]
    public var traffic: [TrafficResult]
    public var captures: [CaptureSummary]
    /// By node: the lines of its access log.
    public var accessLogs: [String: [LogLine]]
    /// By node: what is missing in its access log.
    public var accessLogGaps: [String: RecordGap]
    /// What is missing in files because of their limits.
    public var fileGaps: [FileGap] = []
    /// From the supervisor's start until everything was captured.
    public var seconds: Double
    /// By node and name.
    public var counters: [String: [String: UInt64]]
    /// None in runs that were saved before these were measured.
    public var delays: [ProcessDelay]
    /// From the supervisor's start until everything was captured; nil of a run that did not finish.
    public var span: ClosedRange<Timestamp>?
    /// What the run recorded of its files when it was complete; nil in runs of earlier versions.
    public var files: [FileRecord]?
    /// How far the wall clock was set during the run; nil in runs of earlier versions.
    public var clockStep: Duration?

    /// Events that are missing because there were too many.
    var eventGap: RecordGap? { events.lazy.compactMap(\.leftOut).first }

    /// - Throws: `LabFailure` that names the file that is missing or damaged.
    public init(reading folder: RunFolder) throws(LabFailure) {
        self.folder = folder
        events = try Self.lines(of: folder.events)
        traffic = try Self.value(of: folder.traffic, Self.check)
        captures = try Self.value(of: folder.captureSummaries, Self.check)
        (accessLogs, accessLogGaps) = try AccessLogReading.logs(in: folder)
        let summary = try Self.summary(of: folder)
        seconds = summary.seconds
        span = summary.started...(summary.started + .milliseconds(summary.seconds * 1000))
        files = summary.files
        fileGaps = summary.leftOut ?? []
        clockStep = summary.clockStepMilliseconds.map { .milliseconds($0) }
        let readings: [String: [CounterReading]] = try Self.value(of: folder.counters)
        delays = SavedFile.isRegular(folder.delays) ? try Self.value(of: folder.delays) : []
        counters = readings.mapValues { Dictionary($0.map { ($0.name, $0.value) }, uniquingKeysWith: &+) }
    }

    /// Of a run that did not finish: every file that is there and whole.
    public init(whatIsLeftIn folder: RunFolder) {
        self.folder = folder
        events = (try? Self.lines(of: folder.events)) ?? []
        traffic = (try? Self.value(of: folder.traffic, Self.check)) ?? []
        captures = (try? Self.value(of: folder.captureSummaries, Self.check)) ?? []
        (accessLogs, accessLogGaps) = (try? AccessLogReading.logs(in: folder)) ?? ([:], [:])
        seconds = (try? Self.summary(of: folder))?.seconds ?? 0
        counters = [:]
        delays = (try? Self.value(of: folder.delays)) ?? []
        if seconds == 0, let first = events.first, let last = events.last {
            seconds = (last.time - first.time).milliseconds / 1000
        }
    }

    private static func value<Value: Decodable>(
        of path: String, _ check: (Value) throws(Implausible) -> Void = { (_) throws(Implausible) in }
    ) throws(LabFailure) -> Value {
        let value: Value = try decode(try SavedFile.bytes(of: path), of: path)
        do { try check(value) } catch { throw .damaged(path, "\(error)") }
        return value
    }

    private static func lines<Value: Decodable>(of path: String) throws(LabFailure) -> [Value] {
        var values: [Value] = []
        for line in try SavedFile.bytes(of: path).split(separator: UInt8(ascii: "\n")) {
            values.append(try decode(Array(line), of: path))
        }
        return values
    }

    private static func decode<Value: Decodable>(_ bytes: [UInt8], of path: String) throws(LabFailure) -> Value {
        do {
            return try JSONLine.decode(Value.self, from: bytes)
        } catch {
            throw .damaged(path, "\(error)")
        }
    }

    private static func check(_ results: [TrafficResult]) throws(Implausible) {
        for result in results { try result.check() }
    }

    private static func check(_ captures: [CaptureSummary]) throws(Implausible) {
        for capture in captures { try capture.check() }
    }

    private static func summary(of folder: RunFolder) throws(LabFailure) -> RunSummary {
        try value(of: folder.run) { (summary: RunSummary) throws(Implausible) in try summary.check() }
    }
}

internal import Appliances
public import Evidence
internal import Glibc
internal import LabTime
public import Measurement
internal import SystemPackage

/// What a supervisor leaves of a variant, read back for judging; all of it comes from files of the run's folder.
public struct RunRecord: Sendable {
    public var folder: RunFolder
    public var events: [LabEvent]
    public var traffic: [TrafficResult]
    public var captures: [CaptureSummary]
    /// By node: the lines of its access log.
    public var accessLogs: [String: [LogLine]]
    /// From the supervisor's start until everything was captured.
    public var seconds: Double
    /// By node and name.
    public var counters: [String: [String: UInt64]]
    /// None in runs that were saved before these were measured.
    public var delays: [ProcessDelay]

    /// - Throws: `LabFailure` that names the file that is missing or damaged.
    public init(reading folder: RunFolder) throws(LabFailure) {
        self.folder = folder
        events = try Self.lines(of: folder.events)
        traffic = try Self.value(of: folder.traffic)
        captures = try Self.value(of: folder.captureSummaries)
        accessLogs = try AccessLogReading.logs(in: folder)
        seconds = try (Self.value(of: folder.run) as RunSummary).seconds
        let readings: [String: [CounterReading]] = try Self.value(of: folder.counters)
        delays = access(folder.delays, F_OK) == 0 ? try Self.value(of: folder.delays) : []
        counters = readings.mapValues { Dictionary($0.map { ($0.name, $0.value) }, uniquingKeysWith: &+) }
    }

    /// Of a run that did not come to its end: every file that is there and whole.
    public init(whatIsLeftIn folder: RunFolder) {
        self.folder = folder
        events = (try? Self.lines(of: folder.events)) ?? []
        traffic = (try? Self.value(of: folder.traffic)) ?? []
        captures = (try? Self.value(of: folder.captureSummaries)) ?? []
        accessLogs = (try? AccessLogReading.logs(in: folder)) ?? [:]
        seconds = (try? Self.value(of: folder.run) as RunSummary)?.seconds ?? 0
        counters = [:]
        delays = (try? Self.value(of: folder.delays)) ?? []
        if seconds == 0, let first = events.first, let last = events.last {
            seconds = (last.time - first.time).milliseconds / 1000
        }
    }

    private static func value<Value: Decodable>(of path: String) throws(LabFailure) -> Value {
        try decode(Array(try contents(of: path).utf8), of: path)
    }

    private static func lines<Value: Decodable>(of path: String) throws(LabFailure) -> [Value] {
        var values: [Value] = []
        for line in try contents(of: path).split(separator: "\n") {
            values.append(try decode(Array(line.utf8), of: path))
        }
        return values
    }

    static func contents(of path: String) throws(LabFailure) -> String {
        guard let text = KernelFile.contents(path) else {
            throw LabFailure(
                .lab, "'\(path)' cannot be read: \(Errno(rawValue: errno))",
                remedy: "a run that was ended early has no figures to judge; its captures are still readable")
        }
        return text
    }

    private static func decode<Value: Decodable>(_ bytes: [UInt8], of path: String) throws(LabFailure) -> Value {
        do {
            return try JSONLine.decode(Value.self, from: bytes)
        } catch {
            throw LabFailure(.lab, "'\(path)' is damaged, or of another version: \(error)")
        }
    }
}

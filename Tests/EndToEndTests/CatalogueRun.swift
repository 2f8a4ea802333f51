import Capture
import Evidence
import Expectation
import Foundation
import LabRuntime
import Synchronization
import TestSupport
import Topology

/// One run of a whole lab of the catalogue, made once in a process: every test that looks at it takes the same.
final class CatalogueRun: Sendable {
    /// The lab's folder below `Labs`.
    let lab: String
    let result: CommandResult
    private let folder: TemporaryFolder

    private static let runs = Mutex<[String: CatalogueRun]>([:])

    /// - Parameter text: of a lab that a test has written; nil of the catalogue's
    static func of(_ lab: String, written text: String? = nil) throws -> CatalogueRun {
        try runs.withLock { runs in
            if let run = runs[lab] { return run }
            // What is kept for the whole process has no end of its own.
            if runs.isEmpty { atexit { CatalogueRun.runs.withLock { $0.removeAll() } } }
            let run = try CatalogueRun(lab, text)
            runs[lab] = run
            return run
        }
    }

    private init(_ lab: String, _ text: String?) throws {
        self.lab = lab
        folder = try TemporaryFolder()
        try text?.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
        result = try Lab.failoverlab(
            ["run", text == nil ? Package.root + "/Labs/" + lab : "lab.yaml"] + Lab.untilDecided, in: folder)
    }

    /// The run's folder.
    var path: String {
        URL(fileURLWithPath: "\(folder.path)/runs/\(name)/latest").resolvingSymlinksInPath().path
    }

    /// The lab's own name.
    private var name: String { lab.split(separator: "/").last.map(String.init) ?? lab }

    /// `verdict.json`, as anyone would read it.
    func verdict() throws -> [String: Any] { try Lab.verdict(of: name, in: folder) }

    func check() throws -> CommandResult { try Lab.failoverlab(["check", path, "--format", "json"], in: folder) }

    /// The lab's variants with what their run left behind.
    func variants() throws -> [(variant: Variant, evidence: RunEvidence)] {
        try Topology.Lab(path: Package.root + "/Labs/\(lab)/lab.yaml").variants.filter { !$0.isOnRequest }.map {
            variant in
            let record = try RunRecord(reading: RunFolder("\(path)/\(variant.name)"))
            var evidence = RunEvidence(
                events: record.events, traffic: record.traffic, captures: record.captures, logs: record.accessLogs,
                source: CapturesInMemory(CaptureFolder(path: "\(path)/\(variant.name)")))
            evidence.counters = record.counters
            return (variant, evidence)
        }
    }
}

/// Captures that are read once, for tests that judge the same ones many times.
final class CapturesInMemory: FrameSource {
    private let source: any FrameSource
    private let read = Mutex<[String: [CapturedFrame]]>([:])
    private let filters = Mutex<[String: Capture.CaptureFilter]>([:])

    init(_ source: any FrameSource) { self.source = source }

    /// Of these frames alone.
    init(_ frames: [String: [CapturedFrame]]) {
        source = Nothing()
        read.withLock { $0 = frames }
    }

    func frames(
        of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
    ) throws {
        let frames = try all(of: capture)
        let filter = try filter.map(compiled)
        for frame in frames where filter?.matches(frame) ?? true { guard try visit(frame) else { return } }
    }

    func all(of capture: CaptureSummary) throws -> [CapturedFrame] {
        if let frames = read.withLock({ $0[capture.path] }) { return frames }
        var frames: [CapturedFrame] = []
        try source.frames(of: capture, matching: nil) { frame in
            frames.append(frame)
            return true
        }
        read.withLock { [frames] in $0[capture.path] = frames }
        return frames
    }

    private func compiled(_ text: String) throws -> Capture.CaptureFilter {
        if let filter = filters.withLock({ $0[text] }) { return filter }
        let filter = try Capture.CaptureFilter(text)
        filters.withLock { $0[text] = filter }
        return filter
    }

    private struct Nothing: FrameSource {
        func frames(
            of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
        ) throws {}
    }
}

extension Capture.CaptureFilter {
    fileprivate func matches(_ frame: CapturedFrame) -> Bool {
        frame.bytes.withUnsafeBytes { matches($0, originalLength: frame.originalLength) }
    }
}

import Foundation
import TestSupport
import Testing

/// The command, run for real. Suites that use it are serialized: two labs at a time are enough for a small machine.
enum Lab {
    static let fastPath = Package.root + "/Labs/fast-path-mac-failover"

    /// A verdict that a busy machine leaves open is asked for again, also beside other tests that keep it busy.
    static let untilDecided = ["--rerun-inconclusive", "20"]

    static func failoverlab(_ arguments: [String], in folder: TemporaryFolder) throws -> CommandResult {
        try Command.run(Package.failoverlab, arguments, in: folder.path)
    }

    /// The newest run's `verdict.json`, as anyone would read it.
    static func verdict(of lab: String, in folder: TemporaryFolder) throws -> [String: Any] {
        let path = "\(folder.path)/runs/\(lab)/latest/verdict.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// A file of /proc, to its end: one read returns only a part of it.
    static func kernelText(_ path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    }

    /// Every capture below a folder.
    static func captures(in folder: String) -> [String] {
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".pcap") }.map { "\(folder)/\($0)" }.sorted()
    }

    /// A lab file made from the fast-path lab by replacing text.
    static func changed(_ replacements: [(String, String)], in folder: TemporaryFolder) throws -> String {
        var text = try String(contentsOfFile: fastPath + "/lab.yaml", encoding: .utf8)
        for (old, new) in replacements {
            #expect(text.contains(old), "the lab file no longer has '\(old)'")
            text = text.replacingOccurrences(of: old, with: new)
        }
        let path = folder.path + "/lab.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

/// What tests need of the host; a test without it is skipped, and says why.
enum Host {
    /// What `doctor` says of this host.
    static let doctor = Result { try Command.run(Package.failoverlab, ["doctor"]) }
    /// Only its own word that something is lacking, exit code 4, is a reason to skip a lab. Where it breaks, labs are
    /// tried, and fail; where its word is wrong, `HostCheck` fails.
    static let canRunLabs = (try? doctor.get().status != 4) ?? true
    static let isRoot = getuid() == 0
}

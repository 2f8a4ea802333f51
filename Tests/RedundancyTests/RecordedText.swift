import Foundation
import TestSupport
import Testing

/// A text beside the tests with what was computed, as it should be.
///
/// `FAILOVERLAB_REWRITE=1` writes what is computed into the file, to be read and committed.
struct RecordedText {
    /// Below `Tests/RedundancyTests`.
    var file: String

    private static let folder = "\(Package.root)/Tests/RedundancyTests"

    /// The names of the texts in a folder.
    static func all(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(folder)")) ?? [])
            .filter { $0.hasSuffix(".txt") }.sorted()
    }

    /// Compares the file with what is computed from it.
    func compare(with compute: (String) throws -> String) throws {
        let path = "\(Self.folder)/\(file)"
        let expected = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let found = try compute(expected)
        if ProcessInfo.processInfo.environment["FAILOVERLAB_REWRITE"] != nil {
            return try found.write(toFile: path, atomically: true, encoding: .utf8)
        }
        guard found != expected else { return }
        let lines = found.split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let place =
            zip(lines, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(lines.count, wanted.count)
        Issue.record(
            """
            \(file), line \(place + 1):
            expected \(wanted.indices.contains(place) ? String(wanted[place]) : "the end")
            found    \(lines.indices.contains(place) ? String(lines[place]) : "the end")
            """)
    }
}

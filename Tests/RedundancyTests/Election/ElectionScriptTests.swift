import Foundation
import TestSupport
import Testing

/// `FAILOVERLAB_REWRITE=1` writes the outputs as they are into the files, to be read and committed.
struct ElectionScriptTests {
    static let folder = "\(Package.root)/Tests/RedundancyTests/Election"
    static let scripts =
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/Scripts")) ?? [])
        .filter { $0.hasSuffix(".txt") }.sorted()

    @Test func `there are scripts`() { #expect(Self.scripts.count >= 7) }

    @Test(arguments: scripts)
    func `an election does what the script has below each input`(script: String) throws {
        try Self.compare("Scripts/\(script)") { try ElectionScript.play($0) }
    }

    /// Compares a file with what is computed from it.
    static func compare(_ file: String, with compute: (String) throws -> String) throws {
        let path = "\(folder)/\(file)"
        let expected = try String(contentsOfFile: path, encoding: .utf8)
        let found = try compute(expected)
        if ProcessInfo.processInfo.environment["FAILOVERLAB_REWRITE"] != nil {
            return try found.write(toFile: path, atomically: true, encoding: .utf8)
        }
        guard found != expected else { return }
        let (lines, wanted) = (found.split(separator: "\n"), expected.split(separator: "\n"))
        let first = zip(lines, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let place = first ?? min(lines.count, wanted.count)
        Issue.record(
            """
            \(file), at line \(place + 1) that is not empty:
            expected \(wanted.indices.contains(place) ? String(wanted[place]) : "the end")
            found    \(lines.indices.contains(place) ? String(lines[place]) : "the end")
            """)
    }
}

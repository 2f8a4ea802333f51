import Appliances
import Dataplane
import Foundation
import LabEvents
import TestSupport
import Testing
import Wire

/// The reference's tables of events and counters are the declarations.
struct ReferenceTableTests {
    private static let tables: [(mark: String, text: String)] = [
        ("events", ReferenceTables.events),
        (
            "counters",
            ReferenceTables.counters(reasons: [
                (.drop, DropReason.allCases.map(\.counterWords)),
                (.vrrpDiscarded, WireError.Reason.allCases.map(\.counterWords)),
                (.syncDiscarded, WireError.Reason.allCases.map(\.counterWords)),
                (.sessionsOfApplication, Application.allCases.map { [.application: $0.name] }),
                (.httpFailed, httpReasons.map { [.service: "<service>", .reason: $0] }),
            ])
        ),
    ]

    private static var httpReasons: [String] {
        HTTPErrorReason.allCases.map(\.rawValue) + MessageFault.allCases.map(\.rawValue)
    }

    private func pages() throws -> [(path: String, text: String)] {
        let files = FileManager.default.enumerator(atPath: Package.root + "/docs")?.compactMap { $0 as? String } ?? []
        return try files.filter { $0.hasSuffix(".md") }.map {
            let path = "\(Package.root)/docs/\($0)"
            return (path, try String(contentsOfFile: path, encoding: .utf8))
        }
    }

    /// With `FAILOVERLAB_WRITE_TABLES` set, the files are written anew.
    @Test(arguments: ["events", "counters"])
    func `the reference has the table of`(mark: String) throws {
        let table = try #require(Self.tables.first { $0.mark == mark })
        let marked = try pages().filter { $0.text.contains("<!-- \(mark) -->\n") }
        #expect(marked.count == 1, "\(marked.map(\.path))")
        let (path, text) = try #require(marked.first)
        let begin = try #require(text.range(of: "<!-- \(mark) -->\n"))
        let end = try #require(text.range(of: "<!-- /\(mark) -->", range: begin.upperBound..<text.endIndex))
        if ProcessInfo.processInfo.environment["FAILOVERLAB_WRITE_TABLES"] != nil {
            let new = text.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: "\n" + table.text + "\n")
            try new.write(toFile: path, atomically: true, encoding: .utf8)
            return
        }
        let written = text[begin.upperBound..<end.lowerBound].split(separator: "\n")
        let declared = table.text.split(separator: "\n")
        for (written, declared) in zip(written, declared) { #expect(written == declared) }
        #expect(written.count == declared.count, "FAILOVERLAB_WRITE_TABLES=1 writes the table anew")
    }
}

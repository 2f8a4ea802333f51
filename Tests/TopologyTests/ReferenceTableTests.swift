import Appliances
import Dataplane
import Foundation
import LabEvents
import LabFile
import TestSupport
import Testing
import Topology
import Wire

/// The reference's tables of events and counters are the declarations, and the README's table of labs is the catalogue.
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
        return try (["README.md"] + files.map { "docs/" + $0 }).filter { $0.hasSuffix(".md") }.map {
            let path = "\(Package.root)/\($0)"
            return (path, try String(contentsOfFile: path, encoding: .utf8))
        }
    }

    /// One row for each lab of the catalogue, from its file.
    private static func labs() throws -> String {
        let rows = try LabCatalogue(folder: Package.root + "/Labs").entries.map { entry in
            let lab = try Lab(path: entry.path)
            let played = lab.variants.filter { !$0.isOnRequest }
            let symptoms = played.count { $0.shows == .symptom }
            let remedies = played.count { $0.shows == .remedy }
            let name = entry.name.split(separator: "/").last ?? ""
            return "| [`\(name)`](Labs/\(entry.name)/README.md) | \(lab.title) | \(symptoms) | \(remedies) "
                + "| \(lab.reference ?? "") |"
        }
        return (["| lab | shows | symptoms | remedies | reference |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }

    /// With `FAILOVERLAB_WRITE_TABLES` set, the files are written anew.
    @Test(arguments: ["events", "counters", "labs"])
    func `the documents have the table of`(mark: String) throws {
        let tables = Self.tables + [("labs", try Self.labs())]
        let table = try #require(tables.first { $0.mark == mark })
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

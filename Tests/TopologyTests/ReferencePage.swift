import Foundation
import TestSupport
import Testing

/// The part of a page between `<!-- mark -->` and `<!-- /mark -->`.
struct ReferencePage {
    let mark: String

    init(_ mark: String) { self.mark = mark }

    /// Compares the part with a table that is generated; with `FAILOVERLAB_WRITE_TABLES` set, writes it anew.
    func check(_ table: String) throws {
        let marked = try pages().filter { $0.text.contains("<!-- \(mark) -->\n") }
        #expect(marked.count == 1, "\(marked.map(\.path))")
        let (path, text) = try #require(marked.first)
        let begin = try #require(text.range(of: "<!-- \(mark) -->\n"))
        let end = try #require(text.range(of: "<!-- /\(mark) -->", range: begin.upperBound..<text.endIndex))
        if ProcessInfo.processInfo.environment["FAILOVERLAB_WRITE_TABLES"] != nil {
            let lines = "\n" + table.trimmingCharacters(in: .newlines) + "\n\n"
            let new = text.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: lines)
            try new.write(toFile: path, atomically: true, encoding: .utf8)
            return
        }
        let written = text[begin.upperBound..<end.lowerBound].split(separator: "\n")
        let declared = table.split(separator: "\n")
        for (written, declared) in zip(written, declared) { #expect(written == declared) }
        #expect(written.count == declared.count, "FAILOVERLAB_WRITE_TABLES=1 writes the table anew")
    }

    private func pages() throws -> [(path: String, text: String)] {
        let files = FileManager.default.enumerator(atPath: Package.root + "/docs")?.compactMap { $0 as? String } ?? []
        return try (["README.md"] + files.map { "docs/" + $0 }).filter { $0.hasSuffix(".md") }.map {
            let path = "\(Package.root)/\($0)"
            return (path, try String(contentsOfFile: path, encoding: .utf8))
        }
    }
}

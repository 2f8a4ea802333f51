import Foundation
import TestSupport
import Testing

/// Documents lead where they say, and stay as short as they are meant to be.
struct DocumentTests {
    private static let widest = 120

    private let documents: [Document]

    init() throws { documents = try Document.all() }

    @Test func `there are documents of every kind`() {
        let kinds = ["docs/guides/", "docs/reference/", "docs/concepts/", "docs/internals/decisions/", "Labs/"]
        for kind in kinds { #expect(documents.contains { $0.path.hasPrefix(kind) }, "none below \(kind)") }
        #expect(documents.count > 50)
    }

    @Test func `every relative link leads to a file and an anchor`() {
        let known = Dictionary(uniqueKeysWithValues: documents.map { ($0.path, $0) })
        for document in documents {
            for link in document.links where !link.target.contains("://") && !link.target.hasPrefix("mailto:") {
                let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? document.path : document.resolve(String(parts[0]))
                if !FileManager.default.fileExists(atPath: Package.root + "/" + path) {
                    Issue.record("\(document.path):\(link.line): there is no \(path)")
                } else if parts.count == 2, known[path]?.anchors.contains(String(parts[1])) != true {
                    Issue.record("\(document.path):\(link.line): \(path) has no heading for #\(parts[1])")
                }
            }
        }
    }

    @Test func `every page of docs is linked`() {
        let targets = Set(documents.flatMap { document in document.links.map { document.resolve($0.file) } })
        for document in documents where document.path.hasPrefix("docs/") && document.path != "docs/README.md" {
            #expect(targets.contains(document.path), "no page links to \(document.path)")
        }
    }

    @Test(arguments: [("README.md", 500), ("ARCHITECTURE.md", 1500)])
    func `entry pages stay short`(_ path: String, _ most: Int) throws {
        let document = try #require(documents.first { $0.path == path })
        #expect(document.words <= most, "\(path) has \(document.words) words")
    }

    @Test func `lines fit a terminal`() {
        for document in documents {
            for (number, line) in document.prose where line.count > Self.widest && !line.hasPrefix("|") {
                Issue.record("\(document.path):\(number) has \(line.count) columns")
            }
        }
    }

    /// The checks above notice what they are for.
    @Test func `a document is read as it is shown`() {
        let document = Document(
            path: "docs/a/b.md",
            text: """
                # One `two`: three/four, (five)

                [x](../c.md#d) and `[no](link.md)`
                [y
                z](e.md)

                ```
                # no heading
                [no](link.md)
                ```

                ## Again
                ## Again

                <!-- labs -->
                | many | words |
                <!-- /labs -->
                """)
        #expect(document.anchors == ["one-two-threefour-five", "again", "again-1"])
        #expect(document.links.map(\.target) == ["../c.md#d", "e.md"])
        #expect(document.links.map(\.line) == [3, 4])
        #expect(document.resolve("../c.md") == "docs/c.md")
        #expect(document.words == 11)
    }
}

/// A page in Markdown, as far as the checks need it.
struct Document {
    struct Link {
        var line: Int
        var target: String
        var file: String { String(target.prefix { $0 != "#" }) }
    }

    /// Relative to the package.
    let path: String
    /// Lines outside of code blocks, with their numbers from 1.
    let prose: [(number: Int, text: String)]

    init(path: String, text: String) {
        self.path = path
        var isCode = false
        var prose: [(Int, String)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isCode.toggle()
            } else if !isCode {
                prose.append((index + 1, String(line)))
            }
        }
        self.prose = prose
    }

    /// All pages of the package, those of builds and runs left out.
    static func all() throws -> [Document] {
        let manager = FileManager.default
        func pages(below folder: String) throws -> [String] {
            try manager.subpathsOfDirectory(atPath: Package.root + "/" + folder).map { folder + "/" + $0 }
        }
        let top = try manager.contentsOfDirectory(atPath: Package.root)
        let inner = try ["docs", "Labs", "Sources", "Tests", "scripts", "Benchmarks/Labs", "Benchmarks/Sources"]
            .flatMap(pages)
        return try (top + inner).filter { $0.hasSuffix(".md") }.sorted().map {
            Document(path: $0, text: try String(contentsOfFile: Package.root + "/" + $0, encoding: .utf8))
        }
    }

    /// Inline links, which may go over the end of a line. Code spans hold none.
    var links: [Link] {
        var found: [Link] = []
        var text = ""
        var starts: [(offset: Int, line: Int)] = []
        for (number, line) in prose {
            starts.append((text.utf8.count, number))
            text += Self.withoutCode(line) + "\n"
        }
        for match in text.matches(of: /\[[^\]]*\]\(([^)\s]+)\)/) {
            let offset = text.utf8.distance(from: text.startIndex, to: match.range.lowerBound)
            found.append(Link(line: starts.last { $0.offset <= offset }?.line ?? 0, target: String(match.1)))
        }
        return found
    }

    /// Headings as GitHub names them: lower case, letters, digits, hyphens and underscores, a number where one repeats.
    var anchors: [String] {
        var counts: [String: Int] = [:]
        return prose.compactMap { _, line in
            guard let match = line.wholeMatch(of: /#{1,6} +(.+)/) else { return nil }
            let kept = match.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            let name = kept.replacing(" ", with: "-")
            defer { counts[name, default: 0] += 1 }
            return counts[name].map { "\(name)-\($0)" } ?? name
        }
    }

    /// Outside of code blocks, and of the table of labs, which grows with the catalogue.
    var words: Int {
        var isLabs = false
        var count = 0
        for (_, line) in prose {
            if line.contains("<!-- labs -->") {
                isLabs = true
            } else if line.contains("<!-- /labs -->") {
                isLabs = false
            } else if !isLabs {
                count += line.split(separator: " ").count { $0.contains { $0.isLetter || $0.isNumber } }
            }
        }
        return count
    }

    /// A link's file, relative to the package.
    func resolve(_ file: String) -> String {
        if file.isEmpty { return path }
        var parts = path.split(separator: "/").dropLast().map(String.init)
        for part in file.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    private static func withoutCode(_ line: String) -> String { line.replacing(/`[^`]*`/, with: "") }
}

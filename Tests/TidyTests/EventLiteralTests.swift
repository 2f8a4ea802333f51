import Foundation
import Testing

/// A kind of event is written once, where it is declared.
struct EventLiteralTests {
    /// Kinds that are also words of something else, in which they may be written.
    private static let otherWords: [String: String] = [
        "address": "a key of an interface, and the end of references",
        "armed": "a key of a fault in the lab file",
        "carrier-down": "why a box drops a frame, in its counters",
        "clear": "a bit of a port, in a message",
        "counter": "a key of an expectation and of a wait in the lab file",
        "dropped": "a key of the reports' frames",
        "duplicated": "a figure of traffic, in the lab file and in reports",
        "ended": "a state of a lab and of a transfer, for people",
        "lost": "a figure of traffic, in the lab file and in reports; what an overflow has lost",
        "output": "a key of a program's 'ready' in the lab file",
        "push": "a step of a scenario, and the usual name of its event",
        "ready": "a state of a node, and a key of a program in the lab file",
        "reordered": "a figure of traffic, in the lab file and in reports",
        "rule": "what a firewall's configuration and messages call one",
        "started": "why a firewall takes its role, for people",
        "start": "a step of a scenario",
        "weight": "a key of a pool's member in the lab file",
    ]

    private func kinds() throws -> Set<String> {
        let text = try SourceFiles.text(of: "Sources/LabEvents/Events/EventKind.swift")
        let cases = try #require(text.components(separatedBy: "extension EventKind").first)
        var kinds: Set<String> = []
        for line in cases.split(separator: "\n") where line.hasPrefix("    case ") {
            for word in line.dropFirst(9).components(separatedBy: ", ") {
                let parts = word.components(separatedBy: " = ")
                kinds.insert(parts.count > 1 ? parts[1].replacingOccurrences(of: "\"", with: "") : parts[0])
            }
        }
        return kinds
    }

    /// Literals of a line without its comment: `"a" "b.c"` gives `a` and `b.c`.
    private func literals(_ line: Substring) -> [Substring] {
        guard !line.drop(while: { $0 == " " }).hasPrefix("//") else { return [] }
        return line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? $0.element : nil }
    }

    @Test func `the declaration is understood`() throws {
        let kinds = try kinds()
        #expect(kinds.count > 60 && kinds.isSuperset(of: ["active", "http-502", "quiet", "traffic-start"]), "\(kinds)")
        #expect(kinds.isSuperset(of: Self.otherWords.keys))
        #expect(literals("report(\"active\", at: now) + \"\\(node).push-done\"") == ["active", "\\(node).push-done"])
    }

    @Test func `no other file writes a kind of event`() throws {
        let kinds = try kinds().subtracting(Self.otherWords.keys)
        var checked = 0
        for file in SourceFiles.all(below: "Sources") where !file.hasPrefix("Sources/LabEvents/") {
            checked += 1
            for (number, line) in try SourceFiles.text(of: file).split(
                separator: "\n", omittingEmptySubsequences: false
            )
            .enumerated() {
                for literal in literals(line) {
                    // A name ends with its kind: `\(node).push-done`
                    let last = literal.split(separator: ".").last ?? literal
                    guard kinds.contains(String(literal)) || (literal.contains(").") && kinds.contains(String(last)))
                    else { continue }
                    Issue.record("\(file):\(number + 1) writes \"\(literal)\"; EventKind declares it")
                }
            }
        }
        #expect(checked > 300)
    }
}

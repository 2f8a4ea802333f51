internal import Configuration
internal import LabTime

/// What a program's output says: which of its lines are events, and which make the program ready.
struct OutputPatterns {
    /// An event of the program; `groups` are the named ones of its pattern.
    struct Match {
        var event: String
        var line: String
        var groups: [String: String]
    }

    /// Bytes of a line that are looked at.
    private static let longestLine = 4096

    private let events: [(name: String, pattern: Regex<AnyRegexOutput>)]
    private let awaited: [(text: String, pattern: Regex<AnyRegexOutput>)]
    private var met: Set<String> = []
    /// Of a line that has not ended yet.
    private var begun: [UInt8] = []

    /// - Throws: a pattern that is none, which the lab file's reading has refused
    init(_ program: ProgramConfiguration) throws {
        events = try program.events.map { ($0.name, try Regex($0.pattern)) }
        awaited = try program.readiness.compactMap {
            if case .output(let pattern) = $0 { (pattern, try Regex(pattern)) } else { nil }
        }
    }

    /// Whether nobody needs the output read.
    var isEmpty: Bool { events.isEmpty && awaited.isEmpty }

    /// Whether a line that the program waits for was there.
    func isMet(_ pattern: String) -> Bool { met.contains(pattern) }

    /// What the lines say that these bytes complete.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [Match] {
        var found: [Match] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if begun.count < Self.longestLine { begun.append(byte) }
                continue
            }
            read(String(decoding: begun, as: UTF8.self), &found)
            begun.removeAll(keepingCapacity: true)
        }
        return found
    }

    private mutating func read(_ line: String, _ found: inout [Match]) {
        for (text, pattern) in awaited where !met.contains(text) && line.contains(pattern) { met.insert(text) }
        for (name, pattern) in events {
            guard let match = try? pattern.firstMatch(in: line) else { continue }
            var groups: [String: String] = [:]
            for element in match.output {
                if let group = element.name, let text = element.substring { groups[group] = String(text) }
            }
            found.append(Match(event: name, line: line, groups: groups))
        }
    }
}

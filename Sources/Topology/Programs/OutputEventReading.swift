import Configuration
import LabEvents
import LabFile

/// Reads `events` of a program: `{ master: "Entering MASTER STATE", slow: 'took (?<time>\\d+) ms' }`, and what else is a
/// pattern of its output.
struct OutputEventReading {
    let reader: LabReader

    /// Characters of a pattern.
    static let longestPattern = 500

    func events(_ value: LabValue?, of program: String) -> [ProgramConfiguration.OutputEvent] {
        NodeDefinition.named(value, "the events of '\(program)'", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "an event of a program", at: entry.keyPosition, reader) else {
                return nil
            }
            if [EventKind.started, .ended, .countersUnread].contains(where: { $0.word == entry.key }) {
                reader.report("every program has the event '\(entry.key)'", at: entry.keyPosition)
                return nil
            }
            return pattern(entry.value, of: "event '\(entry.key)'").map { .init(name: entry.key, pattern: $0) }
        }
    }

    /// A regular expression that has been tried.
    func pattern(_ value: LabValue, of what: String) -> String? {
        guard let text = reader.text(value, of: "the pattern of \(what)") else { return nil }
        guard text.count <= Self.longestPattern else {
            reader.report(
                "the pattern of \(what) has \(text.count) characters", at: value.position,
                allowed: ["at most \(Self.longestPattern)"])
            return nil
        }
        do {
            _ = try Regex(text)
            return text
        } catch {
            reader.report(
                "the pattern of \(what) is '\(LabValue.shortened(text))', which is no regular expression (\(error))",
                at: value.position, allowed: ["a regular expression, such as 'Entering (?<state>MASTER|BACKUP) STATE'"])
            return nil
        }
    }

    /// The names of a pattern's groups: `(?<state>…)`.
    static func groups(of pattern: String) -> [String] {
        pattern.split(separator: "(?<", omittingEmptySubsequences: false).dropFirst().compactMap { rest in
            guard let end = rest.firstIndex(of: ">"), rest.first?.isLetter == true else { return nil }
            return String(rest[..<end])
        }
    }
}

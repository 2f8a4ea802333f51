internal import Configuration
internal import LabEvents

/// Counters in the output of a command.
///
/// | pattern | names |
/// |---|---|
/// | none | lines `name number`, also with `:`, `=` or `,` between |
/// | group `name` | its text; the number is `value`, and any other group adds itself: `refused.packets` |
/// | other groups alone | the groups' own |
struct CounterOutput {
    let program: String
    let command: ProgramConfiguration.CounterCommand

    /// - Throws: a pattern that is none, which the lab file's reading has refused
    func readings(in text: String) throws -> [CounterReading] {
        guard let pattern = command.pattern else { return text.split(whereSeparator: \.isNewline).compactMap(line) }
        return try text.matches(of: Regex(pattern).anchorsMatchLineEndings()).flatMap(readings)
    }

    private func readings(_ match: Regex<AnyRegexOutput>.Match) -> [CounterReading] {
        let groups = match.output.compactMap { element in
            element.name.flatMap { name in element.substring.map { (name: name, text: $0) } }
        }
        let owner = groups.first { $0.name == ProgramConfiguration.CounterCommand.nameGroup }?.text
        return groups.compactMap { group in
            guard group.name != ProgramConfiguration.CounterCommand.nameGroup, let value = UInt64(group.text) else {
                return nil
            }
            guard let owner else { return reading(group.name[...], value) }
            let isOwners = group.name == ProgramConfiguration.CounterCommand.valueGroup
            return reading(isOwners ? owner : "\(owner).\(group.name)", value)
        }
    }

    private func line(_ line: Substring) -> CounterReading? {
        let text = line.trimmingSuffix(while: \.isWhitespace)
        let name = text.trimmingSuffix { $0.isASCII && $0.isNumber }
        guard let value = UInt64(text[name.endIndex...]), let last = name.last, Self.separates(last) else { return nil }
        return reading(name, value)
    }

    private static func separates(_ character: Character) -> Bool {
        character.isWhitespace || ":=,".contains(character)
    }

    /// A name without spaces, as lab files have them; nil where nothing is left of it.
    private func reading(_ name: Substring, _ value: UInt64) -> CounterReading? {
        let words = name.trimmingSuffix(while: Self.separates).split(whereSeparator: \.isWhitespace)
        guard !words.isEmpty else { return nil }
        return CounterReading(.program, [.program: program, .name: words.joined(separator: "-")], value)
    }
}

extension BidirectionalCollection where SubSequence == Substring {
    fileprivate func trimmingSuffix(while predicate: (Element) -> Bool) -> Substring {
        guard let last = lastIndex(where: { !predicate($0) }) else { return self[startIndex..<startIndex] }
        return self[...last]
    }
}

import Configuration
import LabFile

/// A command that reads counters, as written.
struct WrittenCounterCommand {
    var words: [Located<String>]
    var pattern: String?

    /// With its references replaced.
    func command(in resolution: Resolution) -> ProgramConfiguration.CounterCommand {
        ProgramConfiguration.CounterCommand(
            words.map { resolution.references.resolve(text: $0.value, at: $0.position, resolution.reader) },
            pattern: pattern)
    }
}

/// Reads `counters` of a program: `{ run: [conntrack, -C], pattern: '(?<sessions>\d+)' }`, or a list of those.
struct CounterCommandReading {
    static let keys = ["run", "pattern"]

    let reader: LabReader

    func commands(_ value: LabValue?, of program: String) -> [WrittenCounterCommand] {
        (value.map(reader.list) ?? []).compactMap { command($0, "'counters' of '\(program)'") }
    }

    private func command(_ value: LabValue, _ what: String) -> WrittenCounterCommand? {
        guard let mapping = MappingReader(value, what, keys: Self.keys, reader), let run = mapping.required("run")
        else {
            return nil
        }
        let words = reader.list(run).compactMap { element in
            reader.text(element, of: "a word of \(what)").map { Located(value: $0, position: element.position) }
        }
        guard let first = words.first, !first.value.isEmpty, !first.value.contains(where: \.isWhitespace) else {
            reader.report(
                "'run' of \(what) is \(run.found)", at: run.position,
                allowed: ["a list with each word by itself, such as [nft, list, counters]"])
            return nil
        }
        let size = words.reduce(0) { $0 + $1.value.utf8.count }
        if size > LabLimits.commandLine {
            reader.report(
                "'run' of \(what) has \(size) characters", at: run.position,
                allowed: ["at most \(LabLimits.commandLine)"])
        }
        guard let written = mapping["pattern"] else { return WrittenCounterCommand(words: words) }
        guard let pattern = OutputEventReading(reader: reader).pattern(written, of: what) else { return nil }
        let groups = OutputEventReading.groups(of: pattern)
        if !groups.contains(where: { $0 != ProgramConfiguration.CounterCommand.nameGroup }) {
            reader.report(
                "the pattern of \(what) has no group for a number", at: written.position,
                allowed: [
                    "groups for the name and the number, '(?<name>\\S+): (?<value>\\d+)'",
                    "a group for each counter, '(?<sessions>\\d+)'", "no pattern for lines of a name and a number",
                ])
            return nil
        }
        return WrittenCounterCommand(words: words, pattern: pattern)
    }
}

extension ProgramConfiguration {
    /// The names of its counters, as far as they are known before it runs; nil stands for any.
    var counterNames: [String?] {
        counters.flatMap { command -> [String?] in
            let groups = command.pattern.map(OutputEventReading.groups) ?? []
            return groups.isEmpty || groups.contains(CounterCommand.nameGroup) ? [nil] : groups
        }
    }
}

/// The tables of the reference, in Markdown.
public enum ReferenceTables {
    /// Every kind of event: who reports it, what it means, its details.
    public static var events: String {
        var lines = ["| event | of | means | details |", "|---|---|---|---|"]
        for kind in EventKind.allCases {
            for report in kind.declaration.reports {
                let details = report.details.map {
                    "`\($0.detail.rawValue)` \($0.isOptional ? "(\($0.type.rawValue), may be absent)" : "(\($0.type.rawValue))")"
                }
                let name = kind.subject.map { kind.name(of: $0) } ?? kind.word
                let reporters = report.reporters.map(\.description).joined(separator: ", ")
                lines.append(
                    "| `\(name)` | \(reporters) | \(kind.declaration.sentence) | \(details.joined(separator: ", ")) |"
                )
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Every counter: which nodes have it and what it counts; then the values of `<reason>` where they are fixed.
    /// - Parameter reasons: for each counter with fixed words in angle brackets, their values and what they mean
    public static func counters(reasons: [(counter: Counter, words: [CounterWords])]) -> String {
        var lines = ["| counter | of | means |", "|---|---|---|"]
        for counter in Counter.allCases {
            if let fixed = reasons.first(where: { $0.counter == counter }) {
                for words in fixed.words { lines.append(line(counter, words)) }
            } else {
                lines.append(line(counter, [:]))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ counter: Counter, _ words: CounterWords) -> String {
        let meaning = counter == .kernel ? "The kernel's own, as `nstat` names them." : counter.meaning(words)
        return "| `\(counter.name(words))` | \(counter.place.owners) | \(meaning.replacing("<", with: "&lt;")) |"
    }
}

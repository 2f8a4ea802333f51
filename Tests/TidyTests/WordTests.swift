import Testing

/// Identifiers use the field's terms. Words that the lab file, events or `verdict.json` use stay valid there.
struct WordTests {
    /// Whole words of identifiers, and what to write instead.
    static let better: [String: String] = [
        "tell": "report, log, send", "tells": "reports, logs, sends", "told": "reported, logged, sent",
        "say": "send, report", "says": "sends, reports", "said": "sent, reported",
        "hear": "receive", "hears": "receives", "heard": "received",
        "speak": "send, support", "speaks": "sends, supports", "spoke": "sent",
        "greet": "send or receive hello", "greets": "sends hello", "greeting": "hello", "greetings": "hellos",
        "farewell": "linger, close_notify",
        "life": "incarnation, boot epoch", "lives": "incarnations, boot epochs",
        "news": "dirty parts, journal entries", "owe": "pending", "owes": "pending", "owed": "pending",
        "disown": "remove the address", "disowns": "removes the address",
        "patience": "timeout", "vain": "timed out",
        "misfit": "out of state", "misfits": "out-of-state packets",
        "crowd": "many-flow generator", "crowds": "many-flow generators",
        "conversation": "control channel", "conversations": "control channels",
        "chance": "randomness, probability", "ways": "next hops, paths",
        "anticipate": "prefetch", "anticipates": "prefetches",
        "judge": "evaluate", "judges": "evaluates", "judged": "evaluated",
    ]

    /// The same of two words that follow each other.
    static let betterPairs: [[String]: String] = [
        ["stands", "back"]: "yields", ["pick", "up"]: "mid-stream pickup",
    ]

    /// By file: occurrences of each word.
    private static func found() throws -> [String: [String: Int]] {
        var known: [String: [String]] = [:]
        var found: [String: [String: Int]] = [:]
        for file in try SourceFiles.swift.get() {
            for (identifier, count) in file.identifiers {
                let banned = known[identifier] ?? Self.banned(in: identifier)
                known[identifier] = banned
                for word in banned { found[file.path, default: [:]][word, default: 0] += count }
            }
        }
        return found
    }

    private static func banned(in identifier: String) -> [String] {
        let words = SwiftText.words(of: identifier)
        return words.filter { better[$0] != nil }
            + zip(words, words.dropFirst()).filter { betterPairs[[$0, $1]] != nil }.map { "\($0) \($1)" }
    }

    @Test func `identifiers have the words of the field`() throws {
        #expect(RemainingWords.byFile.count > 1)
        RemainingWords.check(
            try Self.found(), allowed: RemainingWords.byFile, in: "identifiers", list: "RemainingWords"
        ) { word in
            Self.better[word] ?? Self.betterPairs[word.split(separator: " ").map(String.init)] ?? ""
        }
    }
}

import TestSupport
import Testing

/// Messages, help texts and documents have the words of the field. Names in code and in quotation marks, such as those of
/// the lab file, are left out, and so are the tables that other declarations generate.
struct ProseTests {
    /// Modules whose string literals are checked: those with messages for users.
    private static let modules = [
        "Capture", "EventLoop", "Evidence", "Expectation", "Impairment", "Integrity", "LabFile", "LabRuntime",
        "Measurement", "Netlink", "Report", "failoverlab",
    ]

    /// Words, or words that follow each other, and what to write instead.
    private static let better: [String: String] = [
        "tell": "report, log, send", "tells": "reports, logs, sends", "told": "reported, logged, sent",
        "say": "report, state, send", "says": "reports, states, sends", "said": "reported, stated, sent",
        "hear": "receive", "hears": "receives", "heard": "received",
        "speak": "send, support", "speaks": "sends, supports", "spoke": "sent",
        "greet": "send a hello", "greets": "sends a hello", "greeting": "hello", "farewell": "close_notify",
        "news": "what changed", "owe": "pending", "owes": "pending", "disowns": "removes the address",
        "patience": "timeout", "in vain": "timed out", "unasked": "unexpectedly, unsolicited",
        "misfit": "out-of-state packet", "misfits": "out-of-state packets", "crowd": "many flows",
        "conversation": "control channel", "conversations": "control channels",
        "chance": "randomness, probability", "by chance": "at random", "equal ways": "ECMP",
        "anticipates": "prefetches", "judge": "evaluate", "judges": "evaluates", "judged": "evaluated",
        "life": "incarnation, boot epoch", "stands back": "yields", "unless given": "default",
        "of a kind that": "that", "towards everybody": "endpoint-independent", "begun anew": "restarted, continued",
        "mend": "fix", "mends": "fixes", "mended": "fixed", "so many": "this many", "pull the plug": "power off",
        "another way": "another path", "hands over": "yields, passes",
    ]

    /// - Returns: how often each of the words is in it
    private static func banned(in text: some StringProtocol) -> [String: Int] {
        let prose = String(text).replacing(/`[^`]*`/, with: "-").replacing(/\]\([^)]*\)/, with: "]")
            .replacing(/(?:^|[\s(])'[^'\s]+'/, with: "-")
        let words = prose.lowercased().split { !$0.isLetter }
        var counts: [String: Int] = [:]
        for index in words.indices {
            for length in 1...3 where index + length <= words.count {
                let phrase = words[index..<index + length].joined(separator: " ")
                if better[phrase] != nil { counts[phrase, default: 0] += 1 }
            }
        }
        return counts
    }

    /// A literal without a blank is a name.
    private static func messages() throws -> [String: [String: Int]] {
        var found: [String: [String: Int]] = [:]
        for file in try SourceFiles.swift.get() where modules.contains(where: { file.path.hasPrefix("Sources/\($0)/") })
        {
            for text in file.strings where text.contains(" ") {
                for (word, count) in banned(in: text) { found[file.path, default: [:]][word, default: 0] += count }
            }
        }
        return found
    }

    private static func documents() throws -> [String: [String: Int]] {
        var found: [String: [String: Int]] = [:]
        for document in try Document.all()
        where document.path.hasPrefix("docs/") || !document.path.contains("/") {
            var isGenerated = false
            // Code spans go over the ends of lines.
            var text = ""
            for (_, line) in document.prose {
                if line.contains("<!--") { isGenerated = !line.contains("<!-- /") }
                if !isGenerated { text += line + " " }
            }
            let words = banned(in: text)
            if !words.isEmpty { found[document.path] = words }
        }
        return found
    }

    @Test func `messages and documents have the words of the field`() throws {
        let found = try Self.messages().merging(Self.documents()) { $1 }
        RemainingWords.check(
            found, allowed: RemainingProse.byFile, in: "messages or prose", list: "RemainingProse"
        ) {
            Self.better[$0] ?? ""
        }
    }

    @Test func `names in code and in quotation marks are no prose`() {
        let text = "The box told 'told' and `told`, [told](told.md): it waited in  vain. Told-apart, retold"
        #expect(Self.banned(in: text) == ["told": 3, "in vain": 1])
    }
}

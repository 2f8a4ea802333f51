/// A libpcap capture filter as a Wireshark display filter.
///
/// Knows what labs use: protocols, `host`, `net`, `port`, `ether host`, `proto`, directions, TCP flags, and, or, not,
/// parentheses. In libpcap `and` and `or` bind equally and to the left; a value without qualifiers has those of the
/// value before it. Source: pcap-filter(7)
struct CaptureFilterTranslation: Sendable {
    /// nil where the filter uses something that is not known here; never a filter that means something else.
    let displayFilter: String?

    init(_ captureFilter: String) {
        var parser = Parser(tokens: Self.tokens(captureFilter))
        let expression = parser.parseExpression()
        displayFilter = parser.tokens.isEmpty ? expression : nil
    }

    private static func tokens(_ text: String) -> ArraySlice<String> {
        var tokens: [String] = []
        var word = ""
        func isSymbol(_ character: Character) -> Bool { "()[]!&|=<>".contains(character) }
        for character in text {
            if character == " " || isSymbol(character) {
                if !word.isEmpty { tokens.append(word) }
                word = ""
                guard character != " " else { continue }
                // Two-character operators come as one token.
                if let last = tokens.last, ["&&", "||", "!=", "==", "<=", ">="].contains(last + String(character)) {
                    tokens[tokens.count - 1] = last + String(character)
                } else {
                    tokens.append(String(character))
                }
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { tokens.append(word) }
        return tokens[...]
    }
}

extension CaptureFilterTranslation {
    struct Parser {
        var tokens: ArraySlice<String>
        private var qualifiers = CaptureFilterQualifiers()

        init(tokens: ArraySlice<String>) { self.tokens = tokens }

        mutating func parseExpression() -> String? {
            guard var left = parseTerm() else { return nil }
            var previous: String?
            while let word = tokens.first, let operation = Self.operations[word] {
                tokens.removeFirst()
                guard let right = parseTerm() else { return nil }
                if let previous, previous != operation { left = "(\(left))" }
                left = "\(left) \(operation) \(right)"
                previous = operation
            }
            return left
        }

        private static let operations = ["and": "&&", "&&": "&&", "or": "||", "||": "||"]

        private mutating func parseTerm() -> String? {
            switch tokens.first {
            case "not", "!":
                tokens.removeFirst()
                return parseTerm().map { "!(\($0))" }
            case "(":
                tokens.removeFirst()
                guard let inner = parseExpression(), take(")") else { return nil }
                return "(\(inner))"
            default:
                return parsePrimitive()
            }
        }

        private mutating func take(_ token: String) -> Bool {
            guard tokens.first == token else { return false }
            tokens.removeFirst()
            return true
        }

        private mutating func parsePrimitive() -> String? {
            var found = CaptureFilterQualifiers()
            while let word = tokens.first, found.take(word) { tokens.removeFirst() }
            if found.proto == "tcp", tokens.first == "[" { return parseFlags() }
            if found.isEmpty {
                // A bare value: `port 80 or 443`.
                guard let value = tokens.first else { return nil }
                tokens.removeFirst()
                return qualifiers.displayFilter(value)
            }
            if let proto = found.bareProtocol { return proto }
            guard let value = tokens.first else { return nil }
            tokens.removeFirst()
            qualifiers = found
            return found.displayFilter(value)
        }

        /// `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0`, `tcp[tcpflags] = tcp-syn`
        private mutating func parseFlags() -> String? {
            guard take("["), take("tcpflags") || take("13"), take("]") else { return nil }
            var mask: UInt8 = 0xff
            if take("&") {
                guard let flags = parseFlagSet() else { return nil }
                mask = flags
            }
            if take("!=") {
                guard take("0"), mask != 0xff else { return nil }
                let fields = TCPFlagText.displayFields.filter { mask & $0.bit != 0 }.map { "\($0.field) == 1" }
                return fields.count == 1 ? fields[0] : "(\(fields.joined(separator: " || ")))"
            }
            guard take("==") || take("="), let flags = parseFlagSet(), flags & ~mask == 0 else { return nil }
            let fields = TCPFlagText.displayFields.filter { mask & $0.bit != 0 }
            return fields.map { "\($0.field) == \(flags & $0.bit == 0 ? 0 : 1)" }.joined(separator: " && ")
        }

        private static let flagBits: [String: UInt8] = [
            "tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10, "tcp-urg": 0x20,
            "tcp-ece": 0x40, "tcp-cwr": 0x80,
        ]

        private mutating func parseFlagSet() -> UInt8? {
            let hasParentheses = take("(")
            var flags: UInt8 = 0
            repeat {
                guard let word = tokens.first,
                    let bits = Self.flagBits[word] ?? FieldValue.number(word).flatMap({ UInt8(exactly: $0) })
                else { return nil }
                tokens.removeFirst()
                flags |= bits
            } while hasParentheses && take("|")
            return hasParentheses && !take(")") ? nil : flags
        }
    }
}

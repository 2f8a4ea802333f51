/// The code of a Swift file without its comments, and the texts of its strings; what strings interpolate is code.
struct SwiftText {
    enum Token {
        /// An identifier or a keyword.
        case word(String)
        /// An identifier between backticks; names with blanks, as tests have, are left out.
        case escaped(String)
        /// Any other byte that is no white space.
        case mark(UInt8)
    }

    let tokens: [Token]
    /// The texts of its strings, each with a dash for what it interpolates.
    let strings: [String]

    init(_ text: String) {
        var scanner = Scanner(Array(text.utf8))
        scanner.readCode(untilParenthesis: false)
        tokens = scanner.tokens
        strings = scanner.strings
    }

    /// Identifiers in their order, keywords among them.
    var identifiers: some Sequence<String> {
        tokens.lazy.compactMap { token in
            switch token {
            case .word(let word), .escaped(let word): word
            case .mark: nil
            }
        }
    }

    /// Declared types by their full names, as `Outer.Inner`; not those that only their file sees.
    var types: [String] {
        let keywords: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias", "extension"]
        let modifiers: Set<String> = ["public", "package", "internal", "private", "fileprivate", "final", "indirect"]
        var types: [String] = []
        var scopes: [(name: String, depth: Int, isHidden: Bool)] = []
        var opening: (name: String, isHidden: Bool)?
        var depth = 0
        var isHidden = false
        var index = 0
        var last: UInt8?
        while index < tokens.count {
            defer { index += 1 }
            switch tokens[index] {
            case .mark(let mark):
                last = mark
                isHidden = false
                if mark == UInt8(ascii: "{") {
                    depth += 1
                    if let (name, isHidden) = opening { scopes.append((name, depth, isHidden)) }
                    opening = nil
                } else if mark == UInt8(ascii: "}") {
                    if scopes.last?.depth == depth { scopes.removeLast() }
                    depth -= 1
                }
            case .escaped:
                (last, isHidden) = (nil, false)
            case .word(let word):
                defer { last = nil }
                if modifiers.contains(word) {
                    isHidden = isHidden || word.hasSuffix("private")
                    continue
                }
                defer { isHidden = false }
                guard keywords.contains(word), last != UInt8(ascii: "."), let name = name(at: index + 1) else {
                    continue
                }
                let outer = scopes.last
                let full = outer.map { "\($0.name).\(name)" } ?? name
                let hides = isHidden || outer?.isHidden == true
                if word != "extension", !hides { types.append(full) }
                if word != "typealias" { opening = (full, hides) }
            }
        }
        return types
    }

    /// `Outer.Inner`; nil where no name of a type stands there, as in `class func`.
    private func name(at index: Int) -> String? {
        guard case .word(let first)? = tokens.dropFirst(index).first, first.first?.isUppercase == true else {
            return nil
        }
        var name = first
        var index = index
        while case .mark(UInt8(ascii: "."))? = tokens.dropFirst(index + 1).first,
            case .word(let next)? = tokens.dropFirst(index + 2).first
        {
            name += "." + next
            index += 2
        }
        return name
    }
}

extension SwiftText {
    /// `isFirstSYN` → `is`, `first`, `syn`
    static func words(of identifier: some StringProtocol) -> [String] {
        var words: [String] = []
        var word = ""
        let characters = Array(identifier.utf8)
        for (index, character) in characters.enumerated() {
            let isUpper = (0x41...0x5a).contains(character)
            let isLetter = isUpper || (0x61...0x7a).contains(character)
            let previous = index > 0 ? characters[index - 1] : 0
            let endsAcronym =
                (0x41...0x5a).contains(previous) && index + 1 < characters.count
                && (0x61...0x7a).contains(characters[index + 1])
            if !isLetter || isUpper && ((0x61...0x7a).contains(previous) || endsAcronym) {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if isLetter { word.unicodeScalars.append(Unicode.Scalar(character | 0x20)) }
        }
        return word.isEmpty ? words : words + [word]
    }
}

extension SwiftText {
    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0
        private(set) var tokens: [Token] = []
        private(set) var strings: [String] = []

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private func byte(_ offset: Int = 0) -> UInt8 {
            position + offset < bytes.count ? bytes[position + offset] : 0
        }

        private func begins(_ text: StaticString) -> Bool {
            position + text.utf8CodeUnitCount <= bytes.count
                && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
        }

        private mutating func skip(past text: StaticString) {
            while position < bytes.count, !begins(text) { position += 1 }
            position += text.utf8CodeUnitCount
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
        }

        /// To the end, or past the parenthesis that ends an interpolation.
        mutating func readCode(untilParenthesis: Bool) {
            var depth = 0
            while position < bytes.count {
                if begins("//") {
                    skip(past: "\n")
                } else if begins("/*") {
                    skip(past: "*/")
                } else if let hashes = stringBegins() {
                    readString(hashes)
                } else if byte() == UInt8(ascii: "/"), expressionMayBegin, readRegularExpression() {
                    continue
                } else if byte() == UInt8(ascii: "`") {
                    let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "`")) ?? bytes.count
                    let name = bytes[(position + 1)..<end]
                    if name.allSatisfy(Self.isWord) { tokens.append(.escaped(String(decoding: name, as: UTF8.self))) }
                    position = end + 1
                } else if Self.isWord(byte()) {
                    let begin = position
                    while Self.isWord(byte()) { position += 1 }
                    tokens.append(.word(String(decoding: bytes[begin..<position], as: UTF8.self)))
                } else {
                    let mark = byte()
                    position += 1
                    if mark == UInt8(ascii: "(") { depth += 1 }
                    if mark == UInt8(ascii: ")") {
                        if untilParenthesis, depth == 0 { return }
                        depth -= 1
                    }
                    if mark > 0x20 { tokens.append(.mark(mark)) }
                }
            }
        }

        /// The number of `#` before the quotation mark of a string that begins here.
        private func stringBegins() -> Int? {
            var hashes = 0
            while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
            return byte(hashes) == UInt8(ascii: "\"") ? hashes : nil
        }

        private mutating func readString(_ hashes: Int) {
            position += hashes
            let quotes = begins("\"\"\"") ? 3 : 1
            position += quotes
            var text: [UInt8] = []
            defer { strings.append(String(decoding: text, as: UTF8.self)) }
            while position < bytes.count {
                if byte() == UInt8(ascii: "\\") {
                    position += 1
                    guard (0..<hashes).allSatisfy({ byte($0) == UInt8(ascii: "#") }) else { continue }
                    position += hashes
                    let escaped = byte()
                    position += 1
                    let isInterpolation = escaped == UInt8(ascii: "(")
                    if isInterpolation { readCode(untilParenthesis: true) }
                    text.append(UInt8(ascii: isInterpolation ? "-" : " "))
                } else if (0..<quotes).allSatisfy({ byte($0) == UInt8(ascii: "\"") }),
                    (0..<hashes).allSatisfy({ byte(quotes + $0) == UInt8(ascii: "#") })
                {
                    position += quotes + hashes
                    return
                } else {
                    text.append(byte())
                    position += 1
                }
            }
        }

        /// Whether a slash here is no division: after an opening mark, a comma or an equals sign.
        private var expressionMayBegin: Bool {
            guard case .mark(let mark)? = tokens.last else { return false }
            return "([{,=:".utf8.contains(mark) && byte(1) > 0x20 && byte(1) != UInt8(ascii: "=")
        }

        /// - Returns: whether a second slash ends it on the line
        private mutating func readRegularExpression() -> Bool {
            var index = position + 1
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
                if bytes[index] == UInt8(ascii: "/") {
                    position = index + 1
                    return true
                }
                index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            return false
        }
    }
}

/// The words of a packet's text, one after the other.
struct PacketWords {
    struct Word {
        var text: String
        var column: Int
        /// In quotes: its bytes are meant.
        var isQuoted = false
    }

    private let words: [Word]
    private var index = 0
    private let end: Int

    init(_ text: String) throws(PacketTextError) {
        var words: [Word] = []
        var column = 0
        var word: Word?
        var isEscaped = false
        for character in text {
            column += 1
            if var open = word, open.isQuoted {
                if isEscaped {
                    guard let meant = Self.escapes[character] else {
                        throw PacketTextError(column, "'\\\(character)' stands for nothing")
                    }
                    open.text.append(meant)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    words.append(open)
                    word = nil
                    continue
                } else {
                    open.text.append(character)
                }
                word = open
            } else if character == " " {
                if let word { words.append(word) }
                word = nil
            } else if character == "\"", word == nil {
                word = Word(text: "", column: column, isQuoted: true)
            } else {
                if word == nil { word = Word(text: "", column: column) }
                word?.text.append(character)
            }
        }
        if let word {
            guard !word.isQuoted else { throw PacketTextError(word.column, "the quotes do not end") }
            words.append(word)
        }
        self.words = words
        end = column + 1
    }

    static let escapes: [Character: Character] = ["r": "\r", "n": "\n", "t": "\t", "\"": "\"", "\\": "\\"]

    var peek: Word? { index < words.count ? words[index] : nil }

    /// - Parameter expected: what is to come, for the error
    mutating func take(_ expected: String) throws(PacketTextError) -> Word {
        guard let word = peek else { throw PacketTextError(end, "\(expected) is missing") }
        index += 1
        return word
    }

    /// Takes a word that can only be this one.
    mutating func expect(_ text: String) throws(PacketTextError) {
        let word = try take("'\(text)'")
        guard word.text == text else { throw PacketTextError(word.column, "'\(word.text)' instead of '\(text)'") }
    }

    /// Takes the next word if it is this one.
    mutating func skip(_ text: String) -> Bool {
        guard let word = peek, word.text == text, !word.isQuoted else { return false }
        index += 1
        return true
    }
}

/// Text of others — titles, names, messages, details of events, a program's last lines — as a terminal may get it.
///
/// What would move the cursor, change colours, hide or reorder what follows is written out: ESC as `\u{1b}`, a
/// right-to-left override as `\u{202e}`. Bytes that are not UTF-8 became U+FFFD when they were made a string.
///
/// | output | rule |
/// |---|---|
/// | text, TAP, lists, messages | `block`, `line`, `painted` |
/// | HTML | `html`: the same, and the characters of markup |
/// | JSON | `json`: JSON's own escapes, so the values stay |
/// | JUnit | character references; U+FFFD for what XML 1.0 forbids |
public enum VisibleText {
    /// Of several lines: newlines and tabs stay.
    public static func block(_ text: String) -> String {
        made(text) { $0 == "\n" || $0 == "\t" ? nil : escape($0) }
    }

    /// Of one line, whatever the text has in it.
    public static func line(_ text: String) -> String { made(text, escape) }

    /// The text of a JSON document, in which hidden characters occur in strings alone.
    public static func json(_ document: String) -> String {
        made(document) { scalar in
            guard scalar != "\n", isHidden(scalar) else { return nil }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }

    /// For text and attributes of HTML. Scalar by scalar: a quotation mark with an accent over it ends an attribute, too.
    static func html(_ text: String) -> String {
        made(text) { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            case "\n", "\t": nil
            default: escape(scalar)
            }
        }
    }

    /// A line of a report, whose colours are marked: the marks become colours, all else is made visible.
    static func painted(_ line: String, _ color: ColorMode) -> String {
        made(line) { scalar in
            guard color == .color, (0xfdd0...0xfdef).contains(scalar.value) else { return escape(scalar) }
            return Ink.sequence(for: scalar) ?? escape(scalar)
        }
    }

    /// Control characters, invisible ones that are no part of a word, and those that reorder text.
    /// Source: Unicode, general categories Cc, Zl, Zp, Cf without the joiners, and noncharacters
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7e, 0xa0...0xac, 0xae...0x600: false
        case 0...0x1f, 0x7f...0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028...0x202e, 0x2060...0x206f,
            0xfdd0...0xfdef, 0xfeff, 0xfff0...0xfffb, 0xe0000...0xe0fff:
            true
        default: scalar.value & 0xfffe == 0xfffe
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String? {
        guard isHidden(scalar) else { return nil }
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: return "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    /// - Parameter replacement: nil leaves the scalar
    private static func made(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        // Most texts stay as they are.
        guard let first = text.unicodeScalars.firstIndex(where: { replacement($0) != nil }) else { return text }
        var made = String(text.unicodeScalars[..<first])
        for scalar in text.unicodeScalars[first...] {
            if let replacement = replacement(scalar) {
                made += replacement
            } else {
                made.unicodeScalars.append(scalar)
            }
        }
        return made
    }
}

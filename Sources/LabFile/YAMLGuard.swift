/// Refuses input that could keep the parser busy without end, before the parser sees it.
///
/// The parser hashes keys, so a key made of aliases to lists of aliases would multiply with every level. That is
/// decided here from the bytes alone and on the safe side: quotes and comments are treated as the rest.
enum YAMLGuard {
    static func check(_ text: String) throws(LabFileError) {
        guard text.utf8.count <= LabDocument.maximumSize else {
            throw LabFileError(at: nil, "is larger than \(LabDocument.maximumSize >> 20) MiB; that is not a lab file")
        }
        let hasAliases = text.utf8.contains(UInt8(ascii: "*"))
        for line in text.utf8.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            try checkBytes(line, text: text)
            if hasAliases { try checkKeys(line, text: text) }
        }
    }

    /// Control characters never occur in YAML; a file that has them is no text. Unicode's own line separators would
    /// hide lines from the checks here.
    private static func checkBytes(_ line: Substring.UTF8View, text: String) throws(LabFileError) {
        let index = line.indices.first { index in
            let byte = line[index]
            if byte < 32 { return byte != 9 }
            switch byte {
            case 0xc2: return line[line.index(after: index)] == 0x85
            case 0xe2:
                let second = line.index(after: index)
                return line[second] == 0x80 && line[line.index(after: second)] & 0xfe == 0xa8
            default: return false
            }
        }
        guard let index else { return }
        let column = text.unicodeScalars.distance(from: line.startIndex, to: index) + 1
        throw LabFileError(
            at: place(of: line, in: text, column: column),
            line[index] < 32
                ? "this is not a text file: it has the control character \(line[index])"
                : "only a newline ends a line, not another line separator of Unicode")
    }

    /// Refuses a key that is, or holds, an alias. A key stands on one line unless `?` introduces it.
    /// Source: libyaml's scanner.c, yaml_parser_fetch_next_token and yaml_parser_scan_plain_scalar
    private static func checkKeys(_ line: Substring.UTF8View, text: String) throws(LabFileError) {
        let bytes = Array(line)
        var hasAlias = false
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "*"), UInt8(ascii: "&"):
                let end = bytes[(index + 1)...].firstIndex { !isNameByte($0) } ?? bytes.endIndex
                guard end > index + 1 else { break }
                hasAlias = hasAlias || bytes[index] == UInt8(ascii: "*")
                try refuseKeyMark(at: end)
                if bytes[index] == UInt8(ascii: "*") { try refuseColon(after: end) }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if hasAlias { try refuseColon(after: index + 1) }
            case UInt8(ascii: "?"):
                // After any other byte it belongs to a word.
                if index == 0 || " \t[]{},:\"'".utf8.contains(bytes[index - 1]) { try refuseKeyMark(at: index) }
            default: break
            }
        }
        func refuseKeyMark(at index: Int) throws(LabFileError) {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "?") else { return }
            throw LabFileError(
                at: place(of: line, in: text, column: index + 1), "'?' cannot introduce a key: a key is a word")
        }
        func refuseColon(after start: Int) throws(LabFileError) {
            guard let next = bytes[start...].firstIndex(where: { $0 != 32 && $0 != 9 }),
                bytes[next] == UInt8(ascii: ":")
            else { return }
            throw LabFileError(
                at: place(of: line, in: text, column: next + 1), "an alias cannot be, or be in, a key: a key is a word")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Lines were split at CR and LF each; a person counts CR LF as one.
    private static func place(of line: Substring.UTF8View, in text: String, column: Int) -> SourcePosition {
        var number = 1
        var previous: UInt8 = 0
        for byte in text.utf8[..<line.startIndex] {
            if byte == 13 || byte == 10 && previous != 13 { number += 1 }
            previous = byte
        }
        return SourcePosition(line: number, column: column)
    }
}

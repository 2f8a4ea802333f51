extension LabValue {
    /// The value as YAML in block style, which reads back to an equal value.
    public var yaml: String {
        var text = ""
        write(to: &text, indent: 0, isAfterKey: false)
        return text
    }

    private func write(to text: inout String, indent: Int, isAfterKey: Bool) {
        let margin = String(repeating: " ", count: indent)
        switch content {
        case .scalar(let scalar, let isQuoted):
            text += (isAfterKey ? " " : "") + (isNull ? "null" : Self.scalarText(scalar, isQuoted: isQuoted)) + "\n"
        case .sequence(let elements):
            if elements.isEmpty { return text += (isAfterKey ? " " : "") + "[]\n" }
            if isAfterKey { text += "\n" }
            for (index, element) in elements.enumerated() {
                // A collection that follows "- " begins on the same line, where the margin is already written.
                text += (index == 0 && !isAfterKey ? "" : margin) + "- "
                element.write(to: &text, indent: indent + 2, isAfterKey: false)
            }
        case .mapping(let entries):
            if entries.isEmpty { return text += (isAfterKey ? " " : "") + "{}\n" }
            if isAfterKey { text += "\n" }
            for (index, entry) in entries.enumerated() {
                text += (index == 0 && !isAfterKey ? "" : margin) + Self.scalarText(entry.key, isQuoted: false) + ":"
                entry.value.write(to: &text, indent: indent + 2, isAfterKey: true)
            }
        }
    }

    /// Unquoted where no reader of YAML could take it for anything but this text.
    private static func scalarText(_ text: String, isQuoted: Bool) -> String {
        let isPlain =
            !isQuoted && !text.isEmpty
            && text.utf8.allSatisfy { plainBytes.contains($0) }
            && text.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") } == true
            && !LabValue(.scalar(text, isQuoted: false), at: SourcePosition(line: 1, column: 1)).isNull
            && !text.hasSuffix(":")
        return isPlain ? text : quoted(text)
    }

    private static let plainBytes = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+".utf8)

    /// Double-quoted, with every character escaped that YAML would not keep as it is.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{20}"..."\u{7e}", "\u{a1}"..."\u{2027}", "\u{2030}"..."\u{d7ff}", "\u{e000}"..."\u{fefe}",
                "\u{10000}"..."\u{10ffff}":
                result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return result + "\""
    }
}

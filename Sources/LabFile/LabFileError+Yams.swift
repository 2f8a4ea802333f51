internal import Yams

extension LabFileError {
    /// The parser's error as an error of the lab file.
    init(_ error: YamlError, text: String) {
        switch error {
        case .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            self.init(at: SourcePosition(mark), "nested deeper than \(YAMLConversion.maximumDepth) levels")
        case .scanner(_, _, let mark, _) where Self.tab(at: SourcePosition(mark), in: text) != nil,
            .parser(_, _, let mark, _) where Self.tab(at: SourcePosition(mark), in: text) != nil:
            let place = Self.tab(at: SourcePosition(mark), in: text)
            self.init(at: place, "a tab where only spaces are allowed: YAML is indented with spaces")
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let where_ = context.map { " " + $0.text.trimmedTail + " (started in line \($0.mark.line))" } ?? ""
            self.init(at: SourcePosition(mark), "this is not YAML: \(problem)\(where_)")
        case .composer(_, let problem, let mark, _):
            self = Self.composer(problem, at: SourcePosition(mark), text: text)
        case .reader(let problem, _, _, _):
            self.init(at: nil, "this is not a text file: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self = Self.duplicate(duplicates.first ?? "", first: SourcePosition(context.mark), text: text)
        default:
            self.init(at: nil, "cannot be read as YAML: \(error)")
        }
    }

    /// The tab that the parser stumbled over: where it stands, or before it in the margin of its line.
    private static func tab(at position: SourcePosition, in text: String) -> SourcePosition? {
        let line = Array((LabSource(path: "", text: text).line(at: position) ?? "").unicodeScalars)
        let margin = line.prefix { $0 == " " || $0 == "\t" }
        if let index = margin.firstIndex(of: "\t") { return SourcePosition(line: position.line, column: index + 1) }
        guard line.indices.contains(position.column - 1), line[position.column - 1] == "\t" else { return nil }
        return position
    }

    private static func composer(_ problem: String, at position: SourcePosition, text: String) -> LabFileError {
        guard problem.contains("undefined alias") else {
            return LabFileError(at: position, "a lab file holds one YAML document; '---' begins another")
        }
        let line = LabSource(path: "", text: text).line(at: position) ?? ""
        let name = String(
            line.dropFirst(position.column).prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" })
        // An anchor becomes known when its value is complete: before that, its alias would expand without end.
        let isInside = text.split(whereSeparator: \.isNewline).prefix(position.line).contains {
            $0.contains("&\(name)")
        }
        return LabFileError(
            at: position,
            isInside
                ? "alias '\(name)' is inside the value of its own anchor and would expand without end"
                : "alias '\(name)' has no anchor '&\(name)' before it")
    }

    /// The parser reports the position of the first of the equal keys; the mistake is the second.
    private static func duplicate(_ key: String, first: SourcePosition, text: String) -> LabFileError {
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if let line = lines.dropFirst(first.line - 1).first, let column = column(of: key, in: line, after: first.column)
        {
            return duplicateKey(key, at: SourcePosition(line: first.line, column: column), first: first)
        }
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let margin = line.prefix { $0 == " " }.count
            guard margin + 1 == first.column || margin + 3 == first.column,
                line.dropFirst(first.column - 1).hasPrefix(key)
            else { continue }
            return duplicateKey(key, at: SourcePosition(line: index + 1, column: first.column), first: first)
        }
        return duplicateKey(key, at: first, first: nil)
    }

    /// Where a key of a flow mapping comes again in the same line.
    private static func column(of key: String, in line: Substring, after first: Int) -> Int? {
        guard !key.isEmpty else { return nil }
        let scalars = Array(line.unicodeScalars)
        let wanted = Array(key.unicodeScalars)
        var index = first + wanted.count - 1
        while index + wanted.count < scalars.count {
            if scalars[index...].starts(with: wanted), " {,\"'".unicodeScalars.contains(scalars[index - 1]),
                scalars[(index + wanted.count)...].drop(while: { " \"'".unicodeScalars.contains($0) }).first == ":"
            {
                return "\"'".unicodeScalars.contains(scalars[index - 1]) ? index : index + 1
            }
            index += 1
        }
        return nil
    }
}

extension String {
    /// Without blanks at its end.
    fileprivate var trimmedTail: String {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

/// All mistakes of one lab file that could be found together.
public struct LabFileErrors: Error, Sendable {
    /// More mistakes than these are only counted: the first ones usually explain the others.
    public static let limit = 10

    public var source: LabSource
    /// At least one, in the order of the file.
    public var errors: [LabFileError]
    /// How many more there are.
    public var omitted: Int

    /// - Precondition: `errors` is not empty
    public init(_ errors: [LabFileError], in source: LabSource) {
        precondition(!errors.isEmpty, "a failure has a reason")
        let start = SourcePosition(line: 0, column: 0)
        let sorted = errors.enumerated().sorted {
            ($0.element.position ?? start, $0.offset) < ($1.element.position ?? start, $1.offset)
        }
        self.source = source
        self.errors = sorted.prefix(Self.limit).map(\.element)
        omitted = errors.count - self.errors.count
    }
}

extension LabFileErrors: CustomStringConvertible {
    /// Each mistake as `path:line:column: message`, with its line of the file and a caret below the place.
    public var description: String {
        var lines: [String] = []
        for error in errors {
            guard let position = error.position else {
                lines.append("\(source.path): \(error.message)")
                continue
            }
            lines.append("\(source.path):\(position): \(error.message)")
            guard let line = source.line(at: position), !line.allSatisfy(\.isWhitespace) else { continue }
            lines += Self.excerpt(line, column: position.column)
        }
        if omitted > 0 { lines.append("\(source.path): \(omitted) more like these") }
        return lines.joined(separator: "\n")
    }

    /// The line and the caret; of a long line only what is around the column.
    private static func excerpt(_ line: String, column: Int) -> [String] {
        let scalars = Array(line.unicodeScalars)
        let start = column > 100 ? column - 60 : 0
        let shown = scalars.dropFirst(start).prefix(120)
        // A tab stays a tab in the margin, so that the caret stands below its column whatever a tab's width is.
        let margin = shown.prefix(max(0, column - 1 - start)).map { $0 == "\t" ? "\t" : " " }.joined()
        return [
            "  " + String(String.UnicodeScalarView(shown.map { $0.value < 32 && $0 != "\t" ? "\u{fffd}" : $0 })),
            "  \(margin)^",
        ]
    }
}

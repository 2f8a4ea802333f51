/// The text of a lab file and the path under which messages name it.
public struct LabSource: Hashable, Sendable, Codable {
    public var path: String
    public var text: String
    /// The absolute path of the folder in which the file is; empty for a text that is in none.
    public var folder: String

    public init(path: String, text: String, folder: String = "") {
        self.path = path
        self.text = text
        self.folder = folder
    }

    /// The line that `position` is in, without its end; nil where the text has no such line.
    /// - Complexity: O(length of the text)
    public func line(at position: SourcePosition) -> String? {
        guard position.line >= 1 else { return nil }
        var number = 1
        var start = text.unicodeScalars.startIndex
        let scalars = text.unicodeScalars
        while number < position.line {
            guard let end = scalars[start...].firstIndex(of: "\n") else { return nil }
            start = scalars.index(after: end)
            number += 1
        }
        let line = scalars[start...].prefix { $0 != "\n" && $0 != "\r" }
        return String(String.UnicodeScalarView(line))
    }
}

/// A value of a lab file as written, with its place. An alias stands as the value of its anchor, place included.
public struct LabValue: Sendable {
    public enum Content: Sendable {
        /// `isQuoted` distinguishes the text `"null"` from the value `null`.
        case scalar(String, isQuoted: Bool)
        case sequence([LabValue])
        /// In the order of the file; every key occurs once.
        case mapping([LabEntry])
    }

    public var content: Content
    public var position: SourcePosition

    public init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }
}

/// One `key: value` of a mapping.
public struct LabEntry: Sendable {
    public var key: String
    public var keyPosition: SourcePosition
    public var value: LabValue

    public init(key: String, keyPosition: SourcePosition, value: LabValue) {
        self.key = key
        self.keyPosition = keyPosition
        self.value = value
    }
}

extension LabValue {
    /// A scalar's text; nil for a collection and for null.
    public var text: String? {
        if case .scalar(let text, _) = content, !isNull { text } else { nil }
    }

    public var elements: [LabValue]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    public var entries: [LabEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    /// Nothing, `~` or `null`, unquoted.
    public var isNull: Bool {
        if case .scalar(let text, isQuoted: false) = content {
            text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
        } else {
            false
        }
    }

    /// The value of a key of this mapping.
    /// - Complexity: O(number of keys)
    public subscript(key: String) -> LabValue? {
        entries?.first { $0.key == key }?.value
    }

    /// Its description in messages: `'off'`, `a list`, `a mapping`, `nothing`.
    public var found: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : "'\(LabValue.shortened(text))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// A text that fits into a message: one line of at most 60 characters.
    public static func shortened(_ text: String) -> String {
        let line = text.prefix { $0 != "\n" && $0 != "\r\n" }
        return line.count > 60 || line.count < text.count ? line.prefix(57) + "…" : String(line)
    }
}

/// Equal if their contents are, wherever they are written.
extension LabValue: Equatable {
    public static func == (a: LabValue, b: LabValue) -> Bool {
        switch (a.content, b.content) {
        case (.scalar(let x, _), .scalar(let y, _)): a.isNull && b.isNull || x == y && a.isNull == b.isNull
        case (.sequence(let x), .sequence(let y)): x == y
        case (.mapping(let x), .mapping(let y)):
            x.count == y.count && zip(x, y).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }
}

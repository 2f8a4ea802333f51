/// Whether a text report is coloured. The caller decides: a terminal, `NO_COLOR`, `--color`.
public enum ColorMode: Hashable, Sendable, CaseIterable {
    case plain
    case color

    /// The text between marks, which `VisibleText.painted` converts to colours when the line is complete: so an escape
    /// sequence of foreign text is never taken for one of the report's.
    func paint(_ text: String, _ ink: Ink?) -> String {
        guard self == .color, let ink, !text.isEmpty else { return text }
        return "\(ink.mark)\(text)\(Ink.end)"
    }
}

/// ANSI's select graphic rendition. Colour never adds information to the text.
enum Ink: String, Hashable, Sendable, CaseIterable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"

    /// One of Unicode's noncharacters, which are for a program's own use.
    var mark: Unicode.Scalar {
        let number: UInt32 =
            switch self {
            case .bold: 1
            case .dim: 2
            case .red: 3
            case .green: 4
            case .yellow: 5
            }
        return Unicode.Scalar(0xfdd0 + number) ?? Self.end
    }

    static let end = Unicode.Scalar(0xfdd0 as UInt32) ?? " "

    /// What a mark stands for; nil for any other scalar.
    static func sequence(for mark: Unicode.Scalar) -> String? {
        if mark == end { return "\u{1b}[0m" }
        return allCases.first { $0.mark == mark }.map { "\u{1b}[\($0.rawValue)m" }
    }
}

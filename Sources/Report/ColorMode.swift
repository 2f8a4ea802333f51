/// Whether a text report is coloured. The caller decides: a terminal, `NO_COLOR`, `--color`.
public enum ColorMode: Hashable, Sendable, CaseIterable {
    case plain
    case color

    func paint(_ text: String, _ ink: Ink?) -> String {
        guard self == .color, let ink, !text.isEmpty else { return text }
        return "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m"
    }
}

/// ANSI's select graphic rendition. Colour never says anything that the text does not.
enum Ink: String, Hashable, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
}

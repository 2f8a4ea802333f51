import Expectation

/// A verdict for a person at a terminal: variant by variant what the traffic saw, what was expected, and the frames
/// that show it; then one table over all.
public struct TextReport: Sendable {
    public var color: ColorMode
    /// Columns after which sentences are wrapped; paths, frames and filters never are, so that they can be copied.
    public var width: Int
    /// The folder in which each variant's folder lies, as a person would type it; nil leaves it out.
    public var folder: String?

    public init(color: ColorMode = .plain, width: Int = 100, folder: String? = nil) {
        self.color = color
        self.width = max(40, width)
        self.folder = folder
    }

    public func text(_ verdict: Verdict) -> String {
        var lines = [color.paint(verdict.lab, .bold) + (verdict.title.map { ": \($0)" } ?? "")]
        for variant in verdict.variants {
            lines.append("")
            lines += VariantText(variant, self).lines
        }
        lines.append("")
        lines += SummaryText(verdict, color).lines
        return finished(lines)
    }

    /// One variant alone, as soon as it has ended.
    public func text(_ variant: VariantVerdict) -> String {
        finished(VariantText(variant, self).lines)
    }

    /// The closing table and sentence alone.
    public func summary(_ verdict: Verdict) -> String {
        finished(SummaryText(verdict, color).lines)
    }

    /// What labs and nodes have written is in all lines: none of it may control the terminal.
    private func finished(_ lines: [String]) -> String {
        lines.map { VisibleText.painted($0, color) }.joined(separator: "\n") + "\n"
    }

    /// The first line stands after `lead`, the others below its text. A text of several lines keeps them, each wrapped
    /// by itself; a remedy's further lines stand below its words: `→ give it more`.
    func wrapped(_ text: String, lead: String) -> [String] {
        let indent = String(repeating: " ", count: lead.count)
        let parts = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        guard parts.count > 1 || text.hasPrefix("→ ") else { return wrappedLine(text, lead: lead) }
        return parts.enumerated().flatMap { number, part in
            let begin = number == 0 ? lead : indent
            return part.hasPrefix("→ ")
                ? wrappedLine(String(part.dropFirst(2)), lead: begin + "→ ") : wrappedLine(String(part), lead: begin)
        }
    }

    private func wrappedLine(_ text: String, lead: String) -> [String] {
        let indent = String(repeating: " ", count: lead.count)
        var lines: [String] = []
        var line = ""
        // A check stays on one line: `eth.dst = 02:…`
        var glued = text
        for sign in ["=", "≠", "<", "<=", ">", ">="] {
            glued = glued.replacing(" \(sign) ", with: "\u{a0}\(sign)\u{a0}")
        }
        for word in glued.split(separator: " ") {
            if !line.isEmpty, lead.count + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.enumerated().map { ($0 == 0 ? lead : indent) + $1.replacing("\u{a0}", with: " ") }
    }
}

extension ExpectationVerdict {
    var mark: String {
        switch self {
        case .pass: "✔"
        case .fail: "✘"
        case .inconclusive: "?"
        }
    }

    var ink: Ink {
        switch self {
        case .pass: .green
        case .fail: .red
        case .inconclusive: .yellow
        }
    }
}

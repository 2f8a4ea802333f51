/// The forms that `--format` names.
public enum ReportFormat: String, Hashable, Sendable, CaseIterable {
    case text
    case json
    case junit
    case tap
    case html

    /// The whole report, with its last line ended.
    /// - Parameter text: how the text form looks; the others ignore it.
    public func render(_ verdict: Verdict, text: TextReport = TextReport()) throws -> String {
        switch self {
        case .text: text.text(verdict)
        case .json: try verdict.json()
        case .junit: JUnitReport().text(verdict)
        case .tap: TAPReport().text(verdict)
        case .html: try HTMLReport().text(verdict)
        }
    }
}

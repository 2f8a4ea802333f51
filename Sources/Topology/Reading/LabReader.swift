import LabFile

/// Reads what a lab file says and collects what is wrong with it, so that one run shows every mistake.
///
/// A function that reads returns nil after it has reported why.
final class LabReader {
    /// The lab file's folder, where files that it names are.
    let folder: String
    private(set) var errors: [LabFileError] = []
    /// How often something was reported, repetitions included: a step that makes it grow has failed.
    private(set) var reports = 0
    /// Variants share most of their file: what is wrong there is said once.
    private var reported: Set<LabFileError> = []

    init(folder: String = "") { self.folder = folder }

    func report(
        _ problem: String, at position: SourcePosition?, allowed: [String] = [], suggestion: String? = nil
    ) {
        reports += 1
        let error = LabFileError(at: position, problem, allowed: allowed, suggestion: suggestion)
        if reported.insert(error).inserted { errors.append(error) }
    }

    /// Reports a word that is none of those that are allowed, with the nearest of them.
    func reportUnknown(_ word: String, _ problem: String, at position: SourcePosition?, allowed: [String]) {
        report(
            problem, at: position, allowed: allowed.isEmpty ? ["none"] : allowed,
            suggestion: Spelling.nearest(to: word, among: allowed))
    }

    /// A scalar that is not null.
    func text(_ value: LabValue, of what: String) -> String? {
        guard let text = value.text else {
            report("\(what) is a word, not \(value.found)", at: value.position)
            return nil
        }
        return text
    }

    func integer(_ value: LabValue, of what: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = value.text, let number = Int(text), range.contains(number) else {
            report(
                "\(what) is \(value.found)", at: value.position,
                allowed: ["a whole number from \(range.lowerBound) to \(range.upperBound)"])
            return nil
        }
        return number
    }

    /// `on` and `off`, `true` and `false`, `yes` and `no`.
    func flag(_ value: LabValue, of what: String) -> Bool? {
        switch value.text?.lowercased() {
        case "on", "true", "yes": return true
        case "off", "false", "no": return false
        default:
            report("\(what) is \(value.found)", at: value.position, allowed: ["on", "off"])
            return nil
        }
    }

    /// One of an enumeration's words.
    func choice<T: RawRepresentable & CaseIterable>(_ value: LabValue, of what: String, as: T.Type = T.self) -> T?
    where T.RawValue == String {
        let words = T.allCases.map(\.rawValue)
        guard let text = value.text, let choice = T(rawValue: text) else {
            reportUnknown(value.text ?? "", "\(what) is \(value.found)", at: value.position, allowed: words)
            return nil
        }
        return choice
    }

    func duration(_ value: LabValue, of what: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let text = value.text, let duration = DurationText.parse(text) else {
            let hasUnit = value.text.flatMap(Double.init) == nil
            report(
                "\(what) is \(value.found)" + (hasUnit ? "" : " without a unit"), at: value.position,
                allowed: ["a time with its unit, such as 500us, 10ms, 1s or 2m"])
            return nil
        }
        guard range.contains(duration) else {
            report(
                "\(what) is \(value.found)", at: value.position,
                allowed: ["\(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"])
            return nil
        }
        return duration
    }

    /// The elements of a list; a single value counts as a list of one.
    func list(_ value: LabValue) -> [LabValue] { value.elements ?? (value.isNull ? [] : [value]) }
}

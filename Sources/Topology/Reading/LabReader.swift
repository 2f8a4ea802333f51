import LabFile
import OCIImage

/// Reads what a lab file says and collects what is wrong with it, so that one run shows every mistake.
///
/// A function that reads returns nil after it has reported why.
final class LabReader {
    /// The lab file's folder, where files that it names are.
    let folder: String
    private(set) var errors: [LabFileError] = []
    /// Mistakes beyond these are not kept: a file of many thousands would take long to say nothing more.
    static let mostErrors = 200
    /// How often something was reported, repetitions included: a step that makes it grow has failed.
    private(set) var reports = 0
    /// By tag and path.
    var images: [String: ContainerImage] = [:]
    /// Variants share most of their file: what is wrong there is said once.
    private var reported: Set<LabFileError> = []

    init(folder: String = "") { self.folder = folder }

    func report(
        _ problem: String, at position: SourcePosition?, allowed: [String] = [], suggestion: String? = nil
    ) {
        reports += 1
        guard errors.count < Self.mostErrors else { return }
        let error = LabFileError(at: position, problem, allowed: allowed, suggestion: suggestion)
        if reported.insert(error).inserted { errors.append(error) }
    }

    /// Reports a word that is none of those that are allowed, with the nearest of them.
    /// - Parameter isOnce: whether nothing more is said where something was said already: one word may be wrong for each
    ///   of several boxes
    func reportUnknown(
        _ word: String, _ problem: String, at position: SourcePosition?, allowed: [String], isOnce: Bool = false
    ) {
        if errors.count >= Self.mostErrors || isOnce && errors.contains(where: { $0.position == position }) {
            reports += 1
            return
        }
        report(
            problem, at: position, allowed: allowed.isEmpty ? ["none"] : allowed,
            suggestion: Spelling.nearest(to: word, among: allowed))
    }

    /// Notes a word that is unknown in one variant. Only what is so in every variant is a mistake: the others may have
    /// what this one lacks.
    func suspect(_ word: String, _ problem: String, at position: SourcePosition, allowed: [String]) {
        guard suspects[position]?.variant != variants else { return }
        suspects[position, default: Suspect(word: word, problem: problem, allowed: [])].times += 1
        suspects[position]?.variant = variants
        for name in allowed where suspects[position]?.allowed.contains(name) == false {
            suspects[position]?.allowed.append(name)
        }
    }

    /// The next variant's pushes are about to be looked through.
    func beginSuspecting() { variants += 1 }

    /// Reports what was suspect in every variant, where nothing else was said of it.
    func reportSuspects() {
        for (position, suspect) in suspects where suspect.times == variants {
            reportUnknown(suspect.word, suspect.problem, at: position, allowed: suspect.allowed, isOnce: true)
        }
    }

    private struct Suspect {
        var word: String
        var problem: String
        var allowed: [String]
        var times = 0
        var variant = 0
    }

    private var suspects: [SourcePosition: Suspect] = [:]
    private var variants = 0

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

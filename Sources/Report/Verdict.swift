public import Expectation

/// A lab's verdict: the content of `verdict.json`, and what every report is made of.
///
/// The names and types of its fields are a contract with whoever reads the file: fields may be added, and readers
/// ignore those that they do not know. A variant's own `verdict.json` is the same with one variant.
public struct Verdict: Hashable, Sendable, Codable {
    public static let currentSchema = 1

    public var schema: Int
    public var lab: String
    /// The lab's own sentence about itself.
    public var title: String?
    public var verdict: ExpectationVerdict
    public var variants: [VariantVerdict]

    /// The lab's verdict is that over all its variants: a lab without variants has proven nothing.
    public init(lab: String, title: String? = nil, variants: [VariantVerdict]) {
        schema = Self.currentSchema
        self.lab = lab
        self.title = title
        self.variants = variants
        verdict = ExpectationVerdict(combining: variants.map(\.verdict))
    }
}

extension ExitCode {
    public init(_ verdict: ExpectationVerdict) {
        self =
            switch verdict {
            case .pass: .pass
            case .fail: .fail
            case .inconclusive: .inconclusive
            }
    }
}

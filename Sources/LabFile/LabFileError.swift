/// One mistake in a lab file: what was found and where, what is allowed, what was probably meant.
public struct LabFileError: Error, Hashable, Sendable {
    /// nil where the file as a whole is at fault.
    public var position: SourcePosition?
    /// What is wrong, with what was found: `unknown key 'adress' of an interface`.
    public var problem: String
    /// The allowed values; empty where the problem names them.
    public var allowed: [String]
    /// The nearest right spelling.
    public var suggestion: String?

    public init(
        at position: SourcePosition?, _ problem: String, allowed: [String] = [], suggestion: String? = nil
    ) {
        self.position = position
        self.problem = problem
        self.allowed = allowed
        self.suggestion = suggestion
    }

    /// Everything but the place.
    public var message: String {
        problem + (allowed.isEmpty ? "" : "; allowed: " + allowed.joined(separator: ", "))
            + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
    }
}

extension LabFileError: CustomStringConvertible {
    public var description: String { (position.map { "\($0): " } ?? "") + message }
}

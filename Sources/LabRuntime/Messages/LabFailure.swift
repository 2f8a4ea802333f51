/// Why a lab could not be built, or ended before its scenario did.
public struct LabFailure: Error, Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// The lab could not be built, a process of it died unexpectedly, or a capture failed.
        case lab
        /// This host lacks something; `remedy` names the change.
        case host
        /// What was asked for does not exist, or cannot be understood.
        case usage
        /// It timed out, which proves nothing.
        case undecided
        /// A lab that is up does not answer.
        case silent
        /// Ended on request (Ctrl-C, SIGTERM, `down`).
        case interrupted
    }

    public var kind: Kind
    /// What went wrong, and where.
    public var message: String
    /// It took longer than the limit of an option.
    public var isLimit = false
    /// What to do about it.
    public var remedy: String?

    public init(_ kind: Kind, _ message: String, remedy: String? = nil) {
        self.kind = kind
        self.message = message
        self.remedy = remedy
    }
}

extension LabFailure: CustomStringConvertible {
    public var description: String { remedy.map { "\(message)\n  → \($0)" } ?? message }
}

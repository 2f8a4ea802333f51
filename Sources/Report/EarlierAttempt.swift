/// A run of a variant that decided nothing, after which the variant ran again.
public struct EarlierAttempt: Hashable, Sendable, Codable {
    /// Why it was inconclusive, in one sentence.
    public var reason: String
    /// Relative to the run's folder.
    public var folder: String

    public init(_ reason: String, folder: String) {
        self.reason = reason
        self.folder = folder
    }
}

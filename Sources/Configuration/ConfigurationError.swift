/// Why a box cannot be built from its configuration: one sentence that says what is wrong and what is allowed.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A program named by its node, as in `lb/bird`.
public struct ProgramReference: Hashable, Sendable, Codable, CustomStringConvertible {
    public var node: String
    public var program: String

    public init(node: String, program: String) {
        self.node = node
        self.program = program
    }

    /// nil where the text is not two words with a slash between.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(node: parts[0], program: parts[1])
    }

    /// The name of an event of it: `r1/keepalived.master`
    public func event(_ word: String) -> String { "\(self).\(word)" }

    public var description: String { "\(node)/\(program)" }
}

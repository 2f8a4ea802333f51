/// What keeps an image from being a node's root.
package struct ImageProblem: Error, Hashable, Sendable {
    /// Follows the image's path: `is compressed: …`
    package var text: String
    /// What helps; empty where `text` already has it.
    package var allowed: [String]

    package init(_ text: String, allowed: [String] = []) { (self.text, self.allowed) = (text, allowed) }
}

/// A command that runs in a node once.
package struct NodeCommand: Hashable, Sendable, Codable {
    /// The program and its arguments.
    package var words: [String]
    /// As written, for messages and events.
    package var text: String
    /// The exit code that it must have.
    package var exit: Int
    /// After this time it is killed, and has failed.
    package var timeout: Duration

    package init(words: [String], text: String, exit: Int, timeout: Duration) {
        self.words = words
        self.text = text
        self.exit = exit
        self.timeout = timeout
    }
}

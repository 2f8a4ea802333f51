/// How a run of a command has ended, and what it has printed.
public struct CommandEnd: Hashable, Sendable {
    /// Of a signal 128 and its number, as a shell has it.
    public var exit: Int
    /// What killed it: `signal 9 (Killed)`; nil where it ended by itself.
    public var signal: String?
    /// Of both streams; of much output the first part and the newest one.
    public var output: String

    public init(exit: Int, signal: String? = nil, output: String = "") {
        self.exit = exit
        self.signal = signal
        self.output = output
    }
}

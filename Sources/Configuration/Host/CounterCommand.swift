extension ProgramConfiguration {
    /// A command whose output has counters of a program, run in the node whenever counters are read.
    public struct CounterCommand: Hashable, Sendable, Codable {
        /// The executable's name or path first.
        public var command: [String]
        /// A regular expression with named groups, looked for again and again in the whole output; nil for lines of a
        /// name and a number.
        public var pattern: String?

        /// The group that has a counter's name.
        public static let nameGroup = "name"
        /// The group that has the number of the counter with that name; any other group adds itself to the name.
        public static let valueGroup = "value"

        public init(_ command: [String], pattern: String? = nil) {
            self.command = command
            self.pattern = pattern
        }
    }
}

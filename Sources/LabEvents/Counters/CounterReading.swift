/// One counter's value: `drop.standby`, `forwarded`, `sync.records-sent`.
public struct CounterReading: Hashable, Sendable, Codable {
    public let name: String
    public let value: UInt64
    /// One sentence that a person understands.
    public let meaning: String

    /// A number that cannot be, below 0, is 0.
    public init(_ counter: Counter, _ value: some BinaryInteger) {
        self.init(counter, [:], value)
    }

    /// - Parameter words: what stands for the words in angle brackets of the counter's name and meaning
    public init(_ counter: Counter, _ words: CounterWords, _ value: some BinaryInteger) {
        name = counter.name(words)
        meaning = counter.meaning(words)
        self.value = UInt64(clamping: value)
    }
}

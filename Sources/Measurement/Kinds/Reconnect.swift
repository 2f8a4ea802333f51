internal import LabTime

/// How a flow whose connection has failed opens another one.
public struct Reconnect: Hashable, Sendable, Codable {
    /// After an error, before the first attempt; twice as long before each further one.
    public var after: Duration
    /// The longest delay before an attempt.
    public var atMost: Duration
    /// Attempts without an answer after which the flow ends; nil where it goes on.
    public var attempts: Int?

    public init(after: Duration = .milliseconds(100), atMost: Duration = .seconds(5), attempts: Int? = nil) {
        self.after = after
        self.atMost = atMost
        self.attempts = attempts
    }

    /// Before an attempt, where so many came to nothing since the last answer.
    public func delay(failures: Int) -> Duration { min(after * (1 << min(failures, 30)), atMost) }

    var times: [(name: String, value: Duration)] { [("after", after), ("atMost", atMost)] }

    /// `on`, or `{ after: 100ms, at-most: 5s, attempts: 10 }`; nil where it is off or missing.
    static func read(_ written: some WrittenTraffic) -> Self? {
        let key = TrafficKey.reconnect.name
        guard written.has(key) else { return nil }
        guard written.isMapping(key) else { return written.flag(key) == true ? Self() : nil }
        guard let mapping = written.mapping(key, keys: ["after", "at-most", "attempts"]) else { return nil }
        let range: ClosedRange<Duration> = .milliseconds(10)...(.seconds(3600))
        let usual = Self()
        let after = mapping.duration("after", in: range) ?? usual.after
        let atMost = mapping.duration("at-most", in: range) ?? max(usual.atMost, after)
        if atMost < after {
            mapping.report("'at-most' of 'reconnect' is shorter than 'after'", atKey: "at-most", allowed: [])
        }
        return Self(after: after, atMost: atMost, attempts: mapping.integer("attempts", in: 1...1000))
    }
}

extension TrafficKey {
    static let reconnect = TrafficKey(
        "reconnect", usual: "off",
        "on, or `{ after: 100ms, at-most: 5s, attempts: 10 }`: a connection that fails is followed by another, see [below](#clients-that-look-after-their-connections)"
    )
    static let maximumAge = TrafficKey(
        "max-age", usual: "none",
        "age at which a connection is closed, once everything is answered, and followed by another")
}

extension WrittenTraffic {
    var maximumAge: Duration? { duration(TrafficKey.maximumAge.name, in: .milliseconds(10)...(.seconds(86_400))) }
}

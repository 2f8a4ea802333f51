/// A static route that moves to the first of its gateways that answers.
public struct TrackedRoute: Hashable, Sendable, Codable {
    /// The same destination by each gateway, in the order of preference.
    public var choices: [RouteConfiguration]
    /// Between two questions to a gateway.
    public var interval: Duration
    /// Unanswered questions in a row after which a gateway counts as dead.
    public var misses: Int

    public init(choices: [RouteConfiguration], interval: Duration, misses: Int) {
        self.choices = choices
        self.interval = interval
        self.misses = misses
    }
}

/// A point of the run's clock: an event, and a time after it (`failover + 200ms`).
public struct Anchor: Hashable, Sendable, Codable {
    /// The name of a `LabEvent`. Its first occurrence since the scenario began counts or, of a `before`, the first behind
    /// the other end of the window.
    public var event: String
    public var offset: Duration

    public init(event: String, offset: Duration = .zero) {
        self.event = event
        self.offset = offset
    }
}

public import LabTime

/// One moment read on both clocks: converts the monotonic instants of a measurement to wall time.
public struct ClockReference: Hashable, Sendable {
    public var instant: Instant
    public var timestamp: Timestamp

    public init(instant: Instant, timestamp: Timestamp) {
        self.instant = instant
        self.timestamp = timestamp
    }

    public func timestamp(of other: Instant) -> Timestamp { timestamp + (other - instant) }
}

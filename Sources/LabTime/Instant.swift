/// A point on the machine's monotonic clock, in nanoseconds since an origin of its own.
///
/// Pure modules receive instants as arguments and never read a clock, so that the same code runs on real links
/// (`CLOCK_MONOTONIC`) and in a simulation (virtual time).
public struct Instant: Hashable, Comparable, Sendable, Codable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: Instant, b: Duration) -> Instant {
        Instant(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    @inlinable public static func - (a: Instant, b: Duration) -> Instant {
        Instant(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
    @inlinable public static func - (a: Instant, b: Instant) -> Duration {
        .nanoseconds(a.nanoseconds &- b.nanoseconds)
    }
    @inlinable public static func += (a: inout Instant, b: Duration) { a = a + b }
}

extension Duration {
    /// The whole duration in nanoseconds; exact within ± 292 years, which is all that a lab needs.
    @inlinable public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }

    /// For display and for JSON fields named `…Milliseconds`.
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
}

import LabTime

/// At most 1000 ICMP errors a second and 50 at once, as Linux has it (`icmp_msgs_per_sec`, `icmp_msgs_burst`).
struct ICMPLimit {
    private static let burst: Int64 = 50
    /// Nanoseconds in which one more may be sent.
    private static let interval: Int64 = 1_000_000
    private var tokens = burst
    private var refilled: Instant?

    mutating func take(at now: Instant) -> Bool {
        guard let last = refilled else {
            refilled = now
            tokens -= 1
            return true
        }
        let gained = (now - last).nanoseconds / Self.interval
        if gained > 0 {
            tokens = min(Self.burst, tokens + min(gained, Self.burst))
            refilled = Instant(nanoseconds: last.nanoseconds + gained * Self.interval)
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}

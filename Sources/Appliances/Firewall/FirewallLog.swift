import LabEvents
import LabTime
import Wire

/// Events of a firewall that nobody has taken yet, and when those that could come with every packet were last reported.
struct FirewallLog {
    /// What is reported at most once in an interval, however often it happens.
    enum Occasion: Hashable {
        /// A message of the peer is refused.
        case refusal(WireError.Reason)
        /// Somebody else than the peer sent a message.
        case stranger
        case unknownRule
        case unknownPool
        case exhausted(pool: String)

        var interval: Duration {
            switch self {
            case .refusal, .stranger, .unknownRule, .unknownPool: .seconds(10)
            case .exhausted: .seconds(1)
            }
        }
    }

    private var events: [ApplianceEvent] = []
    private var reportedAt: [Occasion: Instant] = [:]
    private var pinholeLimits = EventLimits<PinholeEventKind>()

    mutating func report(_ kind: EventKind, at now: Instant, _ details: EventDetails) {
        events.append(ApplianceEvent(kind, at: now, details: details))
    }

    /// Whether the interval since the last report is over; it begins anew.
    mutating func mayReport(_ occasion: Occasion, at now: Instant) -> Bool {
        if let last = reportedAt[occasion], now - last < occasion.interval { return false }
        reportedAt[occasion] = now
        return true
    }

    mutating func report(_ kind: PinholeEventKind, at now: Instant, _ details: EventDetails) {
        if pinholeLimits.take(kind, at: now) { report(kind.kind, at: now, details) }
    }

    /// Events since the last call.
    mutating func take() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll() }
        return events
    }
}

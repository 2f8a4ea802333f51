internal import LabEvents
internal import LabTime

/// Bounds the events of a node's kernel: of each kind, so many in a second. A routing daemon that gets 100,000 routes
/// would fill the journal.
struct KernelEventLimit {
    /// Of one kind in one second.
    static let most = 100
    static let length = Duration.seconds(1)

    enum Answer: Hashable {
        case report
        /// The first in this second that is too much: events of this kind may be missing until then.
        case leaveOut(until: Instant)
        case leaveOutSilently
    }

    private struct Second {
        var began: Instant
        var count = 0
        var isOver = false
    }

    private var seconds: [EventKind: Second] = [:]

    /// - Parameter number: of events that happened together
    mutating func admit(_ kind: EventKind, at now: Instant, number: Int = 1) -> Answer {
        var second = seconds[kind] ?? Second(began: now)
        if now - second.began >= Self.length { second = Second(began: now) }
        defer { seconds[kind] = second }
        second.count += number
        guard second.count > Self.most else { return .report }
        guard !second.isOver else { return .leaveOutSilently }
        second.isOver = true
        return .leaveOut(until: second.began + Self.length)
    }
}

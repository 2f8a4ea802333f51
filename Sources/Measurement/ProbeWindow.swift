internal import LabTime

/// The most recent probes of a flow: when each was sent, and whether it was answered.
///
/// A ring of fixed capacity; the oldest probe is retired when a new one needs its place. Runs of unanswered probes
/// are counted as probes retire, so that no more memory is needed for a flow of any length.
struct ProbeWindow: Hashable, Sendable {
    private struct Entry: Hashable {
        var sentAt: Instant
        var isAnswered: Bool
    }

    enum Answer: Hashable {
        case first
        case again
        /// Retired before its answer came.
        case retired
        case neverSent
    }

    private var entries: [Entry] = []
    private let capacity: Int
    /// The oldest probe that is remembered, and the number that the next one gets.
    private(set) var oldest: UInt64 = 0
    private(set) var next: UInt64 = 0
    private var losses = LossRun()

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    mutating func append(sentAt: Instant) -> UInt64 {
        let entry = Entry(sentAt: sentAt, isAnswered: false)
        if entries.count < capacity {
            entries.append(entry)
        } else {
            losses.count(isAnswered: entries[slot(oldest)].isAnswered)
            oldest += 1
            entries[slot(next)] = entry
        }
        defer { next += 1 }
        return next
    }

    mutating func answer(_ sequence: UInt64) -> Answer {
        guard sequence < next else { return .neverSent }
        guard sequence >= oldest else { return .retired }
        guard !entries[slot(sequence)].isAnswered else { return .again }
        entries[slot(sequence)].isAnswered = true
        return .first
    }

    /// When a probe was sent; nil where it is not remembered, or was never sent.
    func sentAt(_ sequence: UInt64) -> Instant? {
        guard sequence >= oldest, sequence < next else { return nil }
        return entries[slot(sequence)].sentAt
    }

    /// The longest run of unanswered probes, up to and without `end`.
    func longestLossRun(before end: UInt64) -> Int {
        var losses = losses
        var sequence = oldest
        while sequence < min(end, next) {
            losses.count(isAnswered: entries[slot(sequence)].isAnswered)
            sequence += 1
        }
        return losses.longest
    }

    private func slot(_ sequence: UInt64) -> Int { Int(sequence % UInt64(capacity)) }
}

private struct LossRun: Hashable {
    var current = 0
    var longest = 0

    mutating func count(isAnswered: Bool) {
        current = isAnswered ? 0 : current + 1
        longest = max(longest, current)
    }
}

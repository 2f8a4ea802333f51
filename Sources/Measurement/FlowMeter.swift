public import LabTime

/// Measures one flow of numbered probes, in whatever time it is given.
///
/// - **Lost**: asked and not answered by the flow's end.
/// - **Duplicated**: a further answer to a probe that had its answer.
/// - **Reordered**: an answer whose number is below the highest that came before it (RFC 4737, 3).
/// - **Longest gap**, timestamp-based: time between two answers in a row that were neither duplicated nor reordered
///   (RFC 6414, 4.2). Its resolution is the cadence. A flow that did not survive has one more gap, which no answer
///   ended: from its last answer to its end.
/// - **Loss-derived gap**: the longest run of unanswered probes × the cadence (RFC 6414, 4.1). Where the two methods
///   disagree by more than their resolution, probes were delayed rather than lost, as TCP's retransmission does.
/// - **The timeout** runs from the sending of the first probe above the highest number that was answered. So one lost
///   datagram between answered ones is a loss, and silence is a reason to give up.
///
/// Memory is bounded: a flow remembers the probes of the last two timeouts, at least 1024 by default and at
/// most 1,048,576. An answer to an older one counts as `forgotten`, and its probe as lost.
public struct FlowMeter: Hashable, Sendable {
    public let cadence: Duration
    public let timeout: Duration

    public private(set) var sent = 0
    /// Probes that were answered.
    public private(set) var received = 0
    public private(set) var duplicated = 0
    public private(set) var reordered = 0
    /// Answers to probes so old that nothing is known of them any more.
    public private(set) var forgotten = 0
    /// Answers with numbers that were never sent.
    public private(set) var unasked = 0

    private var window: ProbeWindow
    private var highestAnswered: UInt64?
    /// When the first probe above the highest answered number was sent; nil where all were answered.
    private var silentSince: Instant?
    private var lastAnswer: Instant?
    private var longest: (start: Instant, length: Duration)? {
        get { longestStart.map { ($0, longestLength) } }
        set {
            longestStart = newValue?.start
            longestLength = newValue?.length ?? .zero
        }
    }
    private var longestStart: Instant?
    private var longestLength: Duration = .zero

    public init(cadence: Duration, patience timeout: Duration, remembersAtLeast least: Int = 1024) {
        self.cadence = max(cadence, .microseconds(1))
        self.timeout = timeout
        let twoTimeouts = timeout.nanoseconds / max(1, self.cadence.nanoseconds / 2)
        window = ProbeWindow(capacity: Int(min(max(twoTimeouts, Int64(least)), 1_048_576)))
    }

    /// Counts one more probe as sent and gives it its number.
    public mutating func ask(at now: Instant) -> UInt64 {
        sent += 1
        if silentSince == nil { silentSince = now }
        return window.append(sentAt: now)
    }

    /// What is unanswered was asked over a connection that is gone: nothing waits for its answers any more.
    public mutating func forgetUnanswered() { silentSince = nil }

    /// Counts the answer to a probe.
    public mutating func answered(_ sequence: UInt64, at now: Instant) {
        switch window.answer(sequence) {
        case .neverSent: unasked += 1
        case .retired: forgotten += 1
        case .again: duplicated += 1
        case .first:
            received += 1
            if let highestAnswered, sequence < highestAnswered {
                reordered += 1
                return
            }
            highestAnswered = sequence
            silentSince = window.sentAt(sequence + 1)
            if let lastAnswer, longest == nil || now - lastAnswer > longestLength {
                longest = (lastAnswer, now - lastAnswer)
            }
            lastAnswer = now
        }
    }

    /// Number of the newest probe; nil before the first.
    public var newest: UInt64? { window.next == 0 ? nil : window.next - 1 }

    /// Whether a probe with this or a higher number was answered: the path carried a request that was not sent earlier.
    public func isAnswered(from sequence: UInt64) -> Bool { highestAnswered.map { $0 >= sequence } ?? false }

    /// Whether nothing that was asked after the newest answered probe is still open.
    public var isSettled: Bool { silentSince == nil }

    /// When the timeout ends if nothing is answered until then; nil while nothing is open.
    public var timesOutAt: Instant? { silentSince.map { $0 + timeout } }

    /// Whether the application has waited for its whole timeout without an answer.
    public func hasTimedOut(at now: Instant) -> Bool { timesOutAt.map { $0 <= now } ?? false }

    /// The figures of a flow that ends now.
    ///
    /// - Parameter lastCounted: probes above this number that nobody answered count neither as sent nor as lost: they
    ///   were sent only to test the path at the end. nil counts all.
    public func reading(endedAt end: Instant, outcome: FlowOutcome, lastCounted: UInt64? = nil) -> FlowReading {
        var counted = window.next
        if let lastCounted { counted = min(counted, max(lastCounted, highestAnswered ?? 0) + 1) }
        let asked = sent - Int(window.next - counted)
        var gap = longest
        if outcome != .survived, let lastAnswer, gap == nil || end - lastAnswer > longestLength {
            gap = (lastAnswer, end - lastAnswer)
        }
        return FlowReading(
            sent: asked, received: received, lost: asked - received, duplicated: duplicated, reordered: reordered,
            longestGapStart: gap?.start, longestGap: gap?.length,
            lossDerivedGap: cadence * window.longestLossRun(before: counted))
    }
}

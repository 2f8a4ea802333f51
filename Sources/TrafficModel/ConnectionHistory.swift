internal import LabTime
internal import Measurement

/// The connections of a flow, one after the other: when the next one is due after an error, and for how long the flow
/// had none.
struct ConnectionHistory: Hashable, Sendable {
    private let reconnect: Reconnect?
    private let maximumAge: Duration?
    private var reconnects = 0
    private var longest: Duration = .zero
    /// Errors since the last answer, which decide the back-off, and all of them.
    private var (recent, all) = (0, 0)
    private var establishedAt: Instant?
    /// When its connection failed, and why; nil while it has one, or opens its first.
    private(set) var loss: Loss?

    struct Loss: Hashable, Sendable {
        var at: Instant
        var ending: FlowEnding
    }

    init(reconnect: Reconnect?, maximumAge: Duration? = nil) {
        self.reconnect = reconnect
        self.maximumAge = maximumAge
    }

    /// When the connection is to be followed by another one; nil where it may grow old.
    var retiresAt: Instant? {
        guard let maximumAge, let establishedAt, all < FlowResult.mostEnds else { return nil }
        return establishedAt + maximumAge
    }

    /// - Returns: when the next attempt is due; nil where the flow ends
    mutating func failed(_ ending: FlowEnding, at now: Instant) -> Instant? {
        guard let reconnect, all < FlowResult.mostEnds, recent < reconnect.attempts ?? .max else { return nil }
        loss = Loss(at: loss?.at ?? now, ending: ending)
        defer { (recent, all) = (recent + 1, all + 1) }
        return now + reconnect.delay(failures: recent)
    }

    /// The connection is old enough, and another one takes its place.
    mutating func retired() {
        establishedAt = nil
        all += 1
    }

    mutating func established(at now: Instant) {
        establishedAt = now
        guard let loss else { return }
        reconnects += 1
        longest = max(longest, now - loss.at)
        self.loss = nil
    }

    mutating func answered() { recent = 0 }

    /// Adds what it knows to the figures of a flow that ends.
    func complete(_ figures: inout FlowFigures, at end: Instant) {
        guard reconnect != nil else { return }
        figures.reconnects = reconnects
        figures.longestDisconnection = max(longest, loss.map { end - $0.at } ?? .zero)
    }
}

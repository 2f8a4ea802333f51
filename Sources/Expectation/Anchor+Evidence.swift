public import Evidence
public import LabTime

/// An expectation asks about the time around an event that never happened.
public struct MissingEvent: Error, Hashable, Sendable, CustomStringConvertible {
    public var event: String
    /// Names of the events that did happen, each once, in order.
    public var happened: [String]

    public var description: String {
        "event \(event) never happened"
            + (happened.isEmpty ? " (no event did)" : " (these did: \(happened.joined(separator: ", ")))")
    }
}

extension RunEvidence {
    /// The anchor's point of time.
    /// - Throws: `MissingEvent`
    public func time(of anchor: Anchor) throws(MissingEvent) -> Timestamp {
        guard let event = firstEvent(named: anchor.event) else {
            throw MissingEvent(event: anchor.event, happened: namesOfEvents)
        }
        return event.time + anchor.offset
    }

    /// The time as a person tells it, from that event or else from the scenario's first.
    func moment(of time: Timestamp, from event: String? = nil) -> Moment? {
        (event.flatMap { firstEvent(named: $0) } ?? referenceEvent).map {
            Moment(event: $0.name, offset: time - $0.time)
        }
    }
}

extension Anchor: CustomStringConvertible {
    public var description: String {
        switch offset {
        case .zero: event
        case ..<Duration.zero: "\(event) - \((.zero - offset).forPeople)"
        default: "\(event) + \(offset.forPeople)"
        }
    }
}

/// `after` and `before` as points of the clock; half open, as a person means "before".
struct TimeWindow: Hashable, Sendable {
    var start: Timestamp?
    var end: Timestamp?

    func contains(_ time: Timestamp) -> Bool {
        if let start, time < start { return false }
        if let end, time >= end { return false }
        return true
    }

    /// Whether any time from `from` to `to`, both included, lies within.
    func overlaps(from: Timestamp, to: Timestamp) -> Bool {
        if let start, to < start { return false }
        if let end, from >= end { return false }
        return true
    }

    var isEmpty: Bool {
        guard let start, let end else { return false }
        return end <= start
    }

    /// How far outside the window a time lies; negative before it, zero within.
    func distance(of time: Timestamp) -> Duration {
        if let start, time < start { return time - start }
        if let end, time >= end { return time - end }
        return .zero
    }

    /// - Parameter within: length of the window that `after` opens; without `after`, of the window that ends `before`
    init(after: Anchor?, before: Anchor?, within: Duration? = nil, in evidence: RunEvidence) throws(MissingEvent) {
        if let after { start = try evidence.time(of: after) }
        if let before { end = try evidence.time(of: before) }
        guard let within else { return }
        if let start {
            end = min(end ?? start + within, start + within)
        } else if let end {
            start = end - within
        }
    }

    /// `after failover, within 1 s`; begins with a space where there is anything to say.
    static func words(after: Anchor?, before: Anchor?, within: Duration? = nil) -> String {
        let parts = [
            after.map { "after \($0)" }, before.map { "before \($0)" }, within.map { "within \($0.forPeople)" },
        ]
        let said = parts.compactMap(\.self)
        return said.isEmpty ? "" : " " + said.joined(separator: " and ")
    }
}

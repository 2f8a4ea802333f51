import Evidence
import LabTime

/// An expectation refers to an event that never happened.
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
    /// The event that a name in an expectation refers to: the first of that name since the scenario began. What nodes
    /// report while the lab comes up belongs to no scenario.
    ///
    /// - Throws: `MissingEvent` where it never happened, `UndecidableExpectation` where it happened only before, and where
    ///   an earlier one may be missing because there were too many events
    func event(named name: String) throws -> LabEvent {
        try occurrence(of: Anchor(event: name), after: nil)
    }

    /// - Parameter start: where a window begins that the anchor ends; its point of time lies after that
    func occurrence(of anchor: Anchor, after start: (time: Timestamp, words: String)?) throws -> LabEvent {
        let all = events(named: anchor.event)
        let begin = [scenarioBegin, start.map { $0.time - anchor.offset }].compactMap(\.self).max()
        try checkIsFirst(
            all.first { event in
                scenarioBegin.map { event.time >= $0 } ?? true
                    && start.map { event.time + anchor.offset > $0.time } ?? true
            }, named: anchor.event, since: begin)
        guard let last = all.last else { throw MissingEvent(event: anchor.event, happened: namesOfEvents) }
        let since = all.drop { event in scenarioBegin.map { event.time < $0 } ?? false }
        if let start {
            if let event = since.first(where: { $0.time + anchor.offset > start.time }) { return event }
            throw UndecidableExpectation(
                "the window\(start.words) and before \(anchor) is empty: it ends before it begins")
        }
        if let event = since.first { return event }
        let distance = scenarioBegin.map { ", \(($0 - last.time).forPeople) before" } ?? ""
        throw UndecidableExpectation(
            "event \(anchor.event) happened only before the scenario began\(distance), and not since; the event of its start is \(Anchor.scenarioBegin)"
        )
    }

    /// The time as an offset from that event, or else from the scenario's first.
    func moment(of time: Timestamp, from event: LabEvent? = nil) -> Moment? {
        (event ?? referenceEvent).map { Moment(event: $0.name, offset: time - $0.time) }
    }

    /// The last event's time: at least until then the lab ran and its captures were open.
    var lastEventTime: Timestamp? { events.last?.time }
}

extension Anchor {
    /// The event with which every scenario begins.
    public static var scenarioBegin: String { LabEvent.scenarioBegin }
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

/// `after` and `before` as points of the clock; half open, in the usual sense of "before".
struct TimeWindow: Hashable, Sendable {
    var start: Timestamp?
    var end: Timestamp?
    /// The events that `after` and `before` refer to.
    private(set) var opening: LabEvent?
    private(set) var closing: LabEvent?

    /// The event from which reports measure the times in the window.
    var reference: LabEvent? { opening ?? closing }

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

    /// How far outside the window a time lies; negative before it, zero within.
    func distance(of time: Timestamp) -> Duration {
        if let start, time < start { return time - start }
        if let end, time >= end { return time - end }
        return .zero
    }

    /// - Parameter within: length of the window that `after` opens; without `after`, of the window that ends `before`
    /// - Throws: `MissingEvent`; `UndecidableExpectation` where the window is empty or has no place on the clock
    init(after: Anchor?, before: Anchor?, within: Duration? = nil, in evidence: RunEvidence) throws {
        if within != nil, after == nil, before == nil {
            throw UndecidableExpectation("'within' sets the length of a window, but no 'after' sets its start")
        }
        if let after {
            let event = try evidence.occurrence(of: after, after: nil)
            opening = event
            start = event.time + after.offset
        }
        if let before {
            let event = try evidence.occurrence(
                of: before, after: start.map { ($0, Self.words(after: after, before: nil)) })
            closing = event
            end = event.time + before.offset
        }
        guard let within else { return }
        if let start {
            end = min(end ?? start + within, start + within)
        } else if let end {
            start = end - within
        }
    }

    /// `after failover, within 1 s`; begins with a space if it is not empty.
    static func words(after: Anchor?, before: Anchor?, within: Duration? = nil) -> String {
        let parts = [
            after.map { "after \($0)" }, before.map { "before \($0)" }, within.map { "within \($0.forPeople)" },
        ]
        let given = parts.compactMap(\.self)
        return given.isEmpty ? "" : " " + given.joined(separator: " and ")
    }
}

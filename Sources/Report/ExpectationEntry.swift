public import Expectation
public import LabTime

/// An expectation and its result, as `verdict.json` lists it.
public struct ExpectationEntry: Hashable, Sendable, Codable {
    public var id: String
    public var verdict: ExpectationVerdict
    public var expected: String
    public var seen: String
    public var frames: [FrameEntry]
    public var nearest: FrameEntry?
    /// A display filter that shows the deciding frames in their capture.
    public var wiresharkFilter: String?
    /// The events that the expectation refers to; absent where it refers to none that happened.
    public var events: [EventReference]?

    public init(_ result: ExpectationResult) {
        id = result.id
        verdict = result.verdict
        expected = result.expected
        seen = result.seen
        frames = result.frames.map(FrameEntry.init)
        nearest = result.nearest.map(FrameEntry.init)
        wiresharkFilter = result.wiresharkFilter
        events = result.events.isEmpty ? nil : result.events
    }
}

extension ExpectationEntry {
    /// Events of which there were several of the name, or that happened before the scenario: `after lb.member-down: the 2nd
    /// of 3`.
    var eventNotes: [String] {
        (events ?? []).filter { $0.role != "counted" && $0.count > 1 || $0.isBeforeScenario }.map { event in
            (event.count > 1 ? "\(event)" : "\(event.role) \(event.name)")
                + (event.isBeforeScenario ? ", before the scenario began" : "")
        }
    }
}

/// A frame that proves something, as `verdict.json` lists it.
public struct FrameEntry: Hashable, Sendable, Codable {
    /// Relative to the variant's folder.
    public var capture: String
    /// As Wireshark counts.
    public var number: Int
    public var time: Timestamp
    /// `+0.734 s after failover`
    public var moment: String?
    /// What it is to the expectation: `last answer before the gap`.
    public var role: String?
    /// What the frame is, in one line.
    public var note: String?

    public init(_ reference: FrameReference) {
        capture = reference.capture
        number = reference.number
        time = reference.time
        moment = reference.moment?.description
        role = reference.role
        note = reference.note
    }
}

public import LabTime

/// A frame that proves something: where it lies, when it passed, and what it shows.
public struct FrameReference: Hashable, Sendable, Codable {
    /// Relative to the variant's folder.
    public var capture: String
    /// As Wireshark counts, from 1.
    public var number: Int
    public var time: Timestamp
    /// The time as measured from the expectation's own event, else from the scenario's first; nil where there is none.
    public var moment: Moment?
    /// What it is to the expectation: `last answer before the gap`.
    public var role: String?
    /// What the frame is, in one line.
    public var note: String?

    public init(
        capture: String, number: Int, time: Timestamp, moment: Moment? = nil, role: String? = nil,
        note: String? = nil
    ) {
        self.capture = capture
        self.number = number
        self.time = time
        self.moment = moment
        self.role = role
        self.note = note
    }
}

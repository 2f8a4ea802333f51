/// The result of one expectation, with the frames that show it.
public struct ExpectationResult: Hashable, Sendable, Codable {
    public var id: String
    public var verdict: ExpectationVerdict
    /// A sentence without its full stop.
    public var expected: String
    public var seen: String
    /// The first few frames that decide: those that break the expectation, else those that confirm it.
    public var frames: [FrameReference]
    /// Where nothing was found: the frame that comes nearest to a match.
    public var nearest: FrameReference?
    /// A display filter, ready to be pasted into Wireshark, that shows the deciding frames in their capture.
    public var wiresharkFilter: String?
    /// The events that the expectation refers to, as far as they happened.
    public var events: [EventReference]

    public init(
        id: String, verdict: ExpectationVerdict, expected: String, seen: String, frames: [FrameReference] = [],
        nearest: FrameReference? = nil, wiresharkFilter: String? = nil, events: [EventReference] = []
    ) {
        self.id = id
        self.verdict = verdict
        self.expected = expected
        self.seen = seen
        self.frames = frames
        self.nearest = nearest
        self.wiresharkFilter = wiresharkFilter
        self.events = events
    }
}

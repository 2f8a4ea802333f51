/// Frames that must be there for the absence of others to mean something. What it leaves out is as in the expectation
/// has it: the interface, and the window as a whole.
public struct FrameControl: Hashable, Sendable, Codable {
    public var node: String?
    public var interface: String?
    public var match: String?
    public var flowsOf: String?
    public var direction: FrameExpectation.Direction?
    public var after: Anchor?
    public var before: Anchor?
    public var within: Duration?

    public init(
        node: String? = nil, interface: String? = nil, match: String? = nil, flowsOf: String? = nil,
        direction: FrameExpectation.Direction? = nil, after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.direction = direction
        self.after = after
        self.before = before
        self.within = within
    }
}

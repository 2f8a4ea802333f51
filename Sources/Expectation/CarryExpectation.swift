public import Evidence

/// Every flow that was seen at one place and time must be seen again at another: flow continuity over a failover.
///
/// A flow is what its frames have in common: the values of the chosen fields, or the five-tuple.
public struct CarryExpectation: ExpectationKind {
    /// Frames of one interface within a window.
    public struct Place: Hashable, Sendable, Codable {
        public var node: String
        public var interface: String
        /// In libpcap's filter language.
        public var match: String?
        public var after: Anchor?
        public var before: Anchor?

        public init(
            node: String, interface: String, match: String? = nil, after: Anchor? = nil, before: Anchor? = nil
        ) {
            self.node = node
            self.interface = interface
            self.match = match
            self.after = after
            self.before = before
        }
    }

    /// Names of `FrameField` that identify a flow; empty for the five-tuple. A frame without one of them is of no flow.
    public var fields: [String]
    public var first: Place
    public var then: Place
    /// How many flows there must be at the first place; nil for at least one.
    public var count: Comparison<Int>?
    /// How many of them may be missing at the second.
    public var missing: Comparison<Int>

    public init(
        fields: [String] = [], first: Place, then: Place, count: Comparison<Int>? = nil,
        missing: Comparison<Int> = Comparison(.equal, 0)
    ) {
        self.fields = fields
        self.first = first
        self.then = then
        self.count = count
        self.missing = missing
    }
}

extension CarryExpectation {
    public var isBorneOutByAbsence: Bool { false }

    public func events(in evidence: RunEvidence) -> [EventReference] {
        let places = [first, then].flatMap { place in
            [EventReference].ends(place.after, place.before, in: evidence)
        }
        return places.uniqued
    }
}

extension ExpectationSpecification.Subject {
    public static func carriedOver(_ expectation: CarryExpectation) -> Self { Self(expectation) }
}

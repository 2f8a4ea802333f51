public import Evidence
public import LabTime

/// What a capture must show.
public struct FrameExpectation: ExpectationKind {
    public enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
        case toServer = "to-server"
        case toClient = "to-client"
    }

    public enum Requirement: Hashable, Sendable, Codable {
        /// Every selected frame passes every check, and at least one frame is selected.
        case every([FieldCheck])
        case some([FieldCheck])
        /// No selected frame passes all checks; an empty list means that none is selected at all.
        case none([FieldCheck])
        /// How many selected frames pass the checks.
        case count(Comparison<Int>, [FieldCheck])
        /// The first selected frame passes every check.
        case first([FieldCheck])
        /// Frames that pass each step's checks appear in this order (others may lie between).
        case sequence([[FieldCheck]])
    }

    /// `lb` and `inside` of `on: lb.inside`
    public var node: String
    public var interface: String
    /// libpcap's filter language.
    public var match: String?
    /// Only frames of this traffic program's flows (by the client's address and port).
    public var flowsOf: String?
    public var direction: Direction?
    public var after: Anchor?
    public var before: Anchor?
    /// Length of the window that `after` opens.
    public var within: Duration?
    public var requirement: Requirement
    /// Of `none` and counts that zero satisfies: frames that must be there, so that none of the selected ones means
    /// something. nil where the selection itself is to match somewhere in the run.
    public var control: FrameControl?

    public init(
        node: String, interface: String, match: String? = nil, flowsOf: String? = nil, direction: Direction? = nil,
        after: Anchor? = nil, before: Anchor? = nil, within: Duration? = nil, requirement: Requirement,
        control: FrameControl? = nil
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.direction = direction
        self.after = after
        self.before = before
        self.within = within
        self.requirement = requirement
        self.control = control
    }
}

extension FrameExpectation {
    public var isBorneOutByAbsence: Bool { requirement.isBorneOutByAbsence && control == nil }

    public func events(in evidence: RunEvidence) -> [EventReference] {
        var ends = [EventReference].ends(after, before, in: evidence)
        if let control { ends += [EventReference].ends(control.after, control.before, in: evidence) }
        return ends.uniqued
    }

    public func end(in evidence: RunEvidence) -> Timestamp? {
        try? TimeWindow(after: after, before: before, within: within, in: evidence).end
    }
}

extension FrameExpectation.Requirement {
    public var isBorneOutByAbsence: Bool {
        switch self {
        case .none: true
        case .count(let comparison, _): comparison.holds(for: 0)
        case .every, .some, .first, .sequence: false
        }
    }
}

extension ExpectationSpecification.Subject {
    public static func frames(_ expectation: FrameExpectation) -> Self { Self(expectation) }
}

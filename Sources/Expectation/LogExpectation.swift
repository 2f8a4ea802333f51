public import Evidence

/// What a node's access log must contain.
public struct LogExpectation: ExpectationKind {
    public enum Requirement: Hashable, Sendable, Codable {
        /// Every selected line passes every check, and at least one line is selected.
        case every([RecordCheck])
        case some([RecordCheck])
        /// No selected line passes all checks; an empty list means that none is selected at all.
        case none([RecordCheck])
        /// How many selected lines pass the checks.
        case count(Comparison<Int>, [RecordCheck])
        /// The first selected line passes every check.
        case first([RecordCheck])
    }

    public var node: String
    /// Only lines that pass these.
    public var selection: [RecordCheck]
    /// By the line's time: when the request's answer was complete.
    public var after: Anchor?
    public var before: Anchor?
    /// Length of the window that `after` opens.
    public var within: Duration?
    public var requirement: Requirement

    public init(
        node: String, selection: [RecordCheck] = [], after: Anchor? = nil, before: Anchor? = nil,
        within: Duration? = nil, requirement: Requirement
    ) {
        self.node = node
        self.selection = selection
        self.after = after
        self.before = before
        self.within = within
        self.requirement = requirement
    }
}

extension LogExpectation {
    public var sentence: String {
        switch requirement {
        case .every([]), .some([]), .first([]): "at least one line \(selectionWords)"
        case .every(let checks): "every line \(selectionWords) has \(checks.words)"
        case .some(let checks): "some line \(selectionWords) has \(checks.words)"
        case .none([]): "no line \(selectionWords)"
        case .none(let checks): "no line \(selectionWords) has \(checks.words)"
        case .count(let comparison, let checks):
            "\(comparison.amount) \(comparison == Comparison(.equal, 1) ? "line" : "lines") \(selectionWords)"
                + (checks.isEmpty ? "" : " with \(checks.words)")
        case .first(let checks): "the first line \(selectionWords) has \(checks.words)"
        }
    }

    /// `of lb's access log with status = 502 after late-fin.released`
    private var selectionWords: String {
        "of \(node)'s access log" + (selection.isEmpty ? "" : " with \(selection.words)")
            + TimeWindow.words(after: after, before: before, within: within)
    }
}

extension LogExpectation {
    public var isBorneOutByAbsence: Bool { requirement.isBorneOutByAbsence }

    public func events(in evidence: RunEvidence) -> [EventReference] {
        [EventReference].ends(after, before, in: evidence)
            + [EventReference].details(selection + requirement.checks, in: evidence)
    }
}

extension LogExpectation.Requirement {
    var isBorneOutByAbsence: Bool {
        switch self {
        case .none: true
        case .count(let comparison, _): comparison.holds(for: 0)
        case .every, .some, .first: false
        }
    }
}

extension ExpectationSpecification.Subject {
    public static func log(_ expectation: LogExpectation) -> Self { Self(expectation) }
}

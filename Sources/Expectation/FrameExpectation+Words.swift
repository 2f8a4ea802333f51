/// The expectation as a sentence, without its full stop.
extension FrameExpectation {
    public var sentence: String {
        switch requirement {
        case .every([]), .some([]), .first([]): "at least one frame \(selectionWords)"
        case .every(let checks): "every frame \(selectionWords) has \(Self.words(checks))"
        case .some(let checks): "some frame \(selectionWords) has \(Self.words(checks))"
        case .none([]): "no frame \(selectionWords)"
        case .none(let checks): "no frame \(selectionWords) has \(Self.words(checks))"
        case .count(let comparison, let checks):
            "\(comparison.amount) \(comparison == Comparison(.equal, 1) ? "frame" : "frames") \(selectionWords)"
                + (checks.isEmpty ? "" : " with \(Self.words(checks))")
        case .first(let checks): "the first frame \(selectionWords) has \(Self.words(checks))"
        case .sequence(let steps):
            "frames \(selectionWords) in this order: \(steps.map(Self.words).joined(separator: "; then "))"
        }
    }

    /// What this expectation's control selects, in words.
    func words(of control: FrameControl) -> String { applying(control).selectionWords }

    /// `on lb.inside matching 'tcp' of existing's flows to the client after failover`
    private var selectionWords: String {
        var words = "on \(node).\(interface)"
        if let match { words += " matching '\(match)'" }
        if let flowsOf { words += " of \(flowsOf)'s flows" }
        switch direction {
        case .toServer: words += " to the server"
        case .toClient: words += " to the client"
        case nil: break
        }
        return words + TimeWindow.words(after: after, before: before, within: within)
    }

    private static func words(_ checks: [FieldCheck]) -> String {
        checks.isEmpty ? "any frame" : checks.map(\.words).joined(separator: " and ")
    }
}

extension FieldCheck {
    /// `eth.dst = 02:00:00:00:00:0a`
    var words: String {
        switch condition {
        case .equals(let value): "\(field) = \(value)"
        case .isNot(let value): "\(field) ≠ \(value)"
        case .isOneOf(let values): "\(field) one of \(values.joined(separator: ", "))"
        case .compares(let comparison): "\(field) \(comparison.relation.rawValue) \(comparison.value)"
        }
    }
}

extension Comparison<Int> {
    /// `exactly 3`, `at least 1`, `no`
    var amount: String {
        switch (relation, value) {
        case (.equal, 0), (.less, 1), (.lessOrEqual, 0): "no"
        case (.equal, _): "exactly \(value)"
        case (.less, _): "fewer than \(value)"
        case (.lessOrEqual, _): "at most \(value)"
        case (.greaterOrEqual, _): "at least \(value)"
        case (.greater, _): "more than \(value)"
        }
    }
}

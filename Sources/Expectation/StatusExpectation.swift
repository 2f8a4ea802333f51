import Measurement

/// `502: ">= 3"`, `502: "< 1%"`: how many requests of a program got an answer with a status.
public struct StatusExpectation: Hashable, Sendable, Codable {
    public enum Answer: Hashable, Sendable, Codable {
        case status(Int)
        /// No answer with a status came.
        case none
        /// Whatever no other condition of the same expectation names.
        case other
    }

    public enum Amount: Hashable, Sendable, Codable {
        case count(Comparison<Int>)
        /// Percent of all requests.
        case share(Comparison<Double>)
    }

    public var answer: Answer
    public var amount: Amount

    public init(_ answer: Answer, _ amount: Amount) {
        self.answer = answer
        self.amount = amount
    }
}

extension StatusExpectation {
    /// `502 at least 3 times`, `502 < 1 %`
    var words: String {
        switch amount {
        case .count(let comparison):
            "\(answer.words) \(comparison.amount == "no" ? "never" : comparison.amount + (comparison.value == 1 ? " time" : " times"))"
        case .share(let comparison): "\(answer.words) \(comparison.relation.rawValue) \(comparison.value.forPeople) %"
        }
    }

    func holds(for count: Int, of all: Int) -> Bool {
        switch amount {
        case .count(let comparison): comparison.holds(for: count)
        case .share(let comparison): comparison.holds(for: all == 0 ? 0 : Double(count) / Double(all) * 100)
        }
    }

    /// - Parameter named: the statuses that the expectation names, for `other`
    func selects(_ flow: FlowResult, named: [StatusExpectation]) -> Bool {
        switch answer {
        case .status(let status): flow.status == status
        case .none: flow.status == nil
        case .other: !named.contains { $0.answer != .other && $0.selects(flow, named: []) }
        }
    }
}

extension StatusExpectation.Answer {
    var words: String {
        switch self {
        case .status(let status): "status \(status)"
        case .none: "no answer"
        case .other: "any other answer"
        }
    }
}

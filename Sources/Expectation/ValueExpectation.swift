import Measurement

/// `rate: "> 100"`: what a number in the output of a command must be, in every run that printed it.
public struct ValueExpectation: Hashable, Sendable, Codable {
    public var name: String
    public var value: Comparison<Double>

    public init(name: String, value: Comparison<Double>) {
        self.name = name
        self.value = value
    }
}

extension ValueExpectation {
    /// `rate > 100`
    var words: String { "\(name) \(value.relation.rawValue) \(value.value.forPeople)" }

    /// A run that succeeded must have printed it; of one that did not, it counts where it is there.
    func isBroken(by flow: FlowResult) -> Bool {
        guard let number = flow.values?[name] else { return flow.outcome == .survived }
        return !value.holds(for: number)
    }
}

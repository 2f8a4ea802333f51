import Measurement

/// `rate: "> 100"`: what a number in the output of a command must be, in every run that succeeded. What the others have
/// printed proves nothing: their frames may be missing.
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

    /// A run that succeeded must have printed it.
    func isBroken(by flow: FlowResult) -> Bool {
        guard flow.outcome == .survived else { return false }
        return flow.values?[name].map { !value.holds(for: $0) } ?? true
    }
}

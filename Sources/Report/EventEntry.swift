public import Evidence
public import LabTime

/// An event of the run, as `verdict.json` lists it.
public struct EventEntry: Hashable, Sendable, Codable {
    public var name: String
    public var time: Timestamp
    public var kind: String
    public var node: String?
    /// Further words of the node; absent where there are none.
    public var details: [String: String]?
    /// Whether the scenario caused it; a node reported it otherwise.
    public var isOfScenario: Bool
    /// From the scenario's first event; nil where there is none.
    public var offsetMilliseconds: Double?

    public init(_ event: LabEvent, reference: LabEvent?) {
        name = event.name
        time = event.time
        kind = event.kind
        node = event.node
        details = event.details.isEmpty ? nil : event.details
        isOfScenario = event.isOfScenario
        offsetMilliseconds = reference.map { (event.time - $0.time).roundedMilliseconds }
    }
}

extension Duration {
    /// To the microsecond, so that a file holds no digits which mean nothing.
    var roundedMilliseconds: Double { (Double(nanoseconds) / 1000).rounded() / 1000 }

    /// The way back from a field named `…Milliseconds`; at most 290 years either way.
    init(milliseconds: Double) { self = .nanoseconds(Int64((milliseconds * 1e6).rounded().clamped(to: 9.15e18))) }
}

extension Double {
    /// Zero where it is no number.
    fileprivate func clamped(to bound: Double) -> Double { isNaN ? 0 : min(max(self, -bound), bound) }
}

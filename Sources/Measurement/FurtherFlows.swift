public import LabTime

/// The figures of flows that are too many to be listed one by one, as sums.
public struct FurtherFlows: Hashable, Sendable, Codable {
    public var count = 0
    /// By the outcome's word.
    public private(set) var outcomes: [String: Int] = [:]
    public private(set) var sent = 0
    public private(set) var received = 0
    public private(set) var lost = 0
    public private(set) var duplicated = 0
    public private(set) var reordered = 0
    public private(set) var lossDerivedGap: Duration = .zero
    /// The flow with the longest gap; of those without any, the first.
    public private(set) var telling: FlowResult?

    public init() {}

    public mutating func add(_ flow: FlowResult) {
        count += 1
        outcomes[flow.outcome.rawValue, default: 0] += 1
        sent += flow.sent
        received += flow.received
        lost += flow.lost
        duplicated += flow.duplicated
        reordered += flow.reordered
        lossDerivedGap = max(lossDerivedGap, flow.lossDerivedGap)
        if let telling, telling.gapLength >= flow.gapLength { return }
        telling = flow
    }

    public func count(of outcome: FlowOutcome) -> Int { outcomes[outcome.rawValue] ?? 0 }
}

extension FlowResult {
    /// -1 without any, so that any gap is longer.
    fileprivate var gapLength: Duration { longestGap?.length ?? .nanoseconds(-1) }
}

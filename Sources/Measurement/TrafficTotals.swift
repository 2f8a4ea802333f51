internal import LabTime

/// A traffic program's figures over all its flows.
public struct TrafficTotals: Hashable, Sendable, Codable {
    public var flows: Int
    public var sent: Int
    public var received: Int
    public var lost: Int
    public var duplicated: Int
    public var reordered: Int
    /// How every flow ended, `.mixed` where they ended differently; nil where there was no flow.
    public var outcome: FlowOutcome?
    /// Of long-lived flows the longest gap of any flow. Of programs with a flow for each probe the longest time
    /// between two probes that succeeded, in the order in which they ended.
    public var longestGap: Gap?
    /// The longest loss-derived gap of any flow.
    public var lossDerivedGap: Duration
    public var latency: LatencyRange?

    public init(
        flows: Int, sent: Int, received: Int, lost: Int, duplicated: Int, reordered: Int, outcome: FlowOutcome?,
        longestGap: Gap?, lossDerivedGap: Duration, latency: LatencyRange?
    ) {
        self.flows = flows
        self.sent = sent
        self.received = received
        self.lost = lost
        self.duplicated = duplicated
        self.reordered = reordered
        self.outcome = outcome
        self.longestGap = longestGap
        self.lossDerivedGap = lossDerivedGap
        self.latency = latency
    }
}

/// Latency of the probes that have one.
public struct LatencyRange: Hashable, Sendable, Codable {
    public var minimum: Duration
    public var average: Duration
    public var maximum: Duration

    public init(minimum: Duration, average: Duration, maximum: Duration) {
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// nil where there is nothing to take a range of.
    public init?(_ latencies: some Sequence<Duration>) {
        var (count, sum) = (0, Duration.zero)
        var bounds: (minimum: Duration, maximum: Duration)?
        for latency in latencies {
            count += 1
            sum += latency
            bounds = (min(bounds?.minimum ?? latency, latency), max(bounds?.maximum ?? latency, latency))
        }
        guard let bounds else { return nil }
        self.init(minimum: bounds.minimum, average: sum / count, maximum: bounds.maximum)
    }
}

extension TrafficResult {
    public var totals: TrafficTotals {
        TrafficTotals(of: flows, and: further, opensFlowForEachProbe: program.kind.opensFlowForEachProbe)
    }

    /// Whether both methods of RFC 6414 agree, within their resolution, on the longest gap of every flow. They do not
    /// where answers were delayed rather than lost.
    public var gapMethodsAgree: Bool {
        flows.allSatisfy { $0.gapMethodsAgree(cadence: program.every) }
    }
}

extension FlowResult {
    /// An undisturbed flow has a timestamp-based gap of one cadence and no loss-derived one, and each method is right
    /// to one cadence: so they agree when they are no more than two cadences apart.
    public func gapMethodsAgree(cadence: Duration) -> Bool {
        guard let longestGap else { return true }
        return longestGap.length - lossDerivedGap <= cadence * 2 && lossDerivedGap - longestGap.length <= cadence * 2
    }
}

extension TrafficTotals {
    /// Sums any selection of flows, as for those that started after a failover.
    public init(of flows: [FlowResult], opensFlowForEachProbe: Bool) {
        let outcomes = Set(flows.map(\.outcome))
        self.init(
            flows: flows.count,
            sent: flows.reduce(0) { $0 + $1.sent },
            received: flows.reduce(0) { $0 + $1.received },
            lost: flows.reduce(0) { $0 + $1.lost },
            duplicated: flows.reduce(0) { $0 + $1.duplicated },
            reordered: flows.reduce(0) { $0 + $1.reordered },
            outcome: outcomes.count > 1 ? .mixed : outcomes.first,
            longestGap: opensFlowForEachProbe
                ? Self.longestGapBetweenSuccesses(flows)
                : flows.compactMap(\.longestGap).max { $0.length < $1.length },
            lossDerivedGap: flows.map(\.lossDerivedGap).max() ?? .zero,
            latency: LatencyRange(flows.compactMap(\.latency)))
    }

    /// Sums a selection of flows and those that are known only as sums.
    public init(of flows: [FlowResult], and further: FurtherFlows?, opensFlowForEachProbe: Bool) {
        self.init(of: flows, opensFlowForEachProbe: opensFlowForEachProbe)
        guard let further, further.count > 0 else { return }
        self.flows += further.count
        sent += further.sent
        received += further.received
        lost += further.lost
        duplicated += further.duplicated
        reordered += further.reordered
        let outcomes = Set(flows.map(\.outcome)).union(
            FlowOutcome.allCases.filter { further.count(of: $0) > 0 })
        outcome = outcomes.count > 1 ? .mixed : outcomes.first
        longestGap = [longestGap, further.telling?.longestGap].compactMap(\.self).max { $0.length < $1.length }
        lossDerivedGap = max(lossDerivedGap, further.lossDerivedGap)
    }

    private static func longestGapBetweenSuccesses(_ flows: [FlowResult]) -> Gap? {
        let ends = flows.filter { $0.outcome == .survived }.map(\.end).sorted()
        return zip(ends, ends.dropFirst()).map { Gap(start: $0, length: $1 - $0) }.max { $0.length < $1.length }
    }
}

/// What a TCP ping prints of its connections: attempts, successes, and times.
public struct ConnectStatistics: Hashable, Sendable, Codable {
    public var sent: Int
    public var received: Int
    public var lost: Int
    public var lostPercent: Double
    /// Milliseconds until the handshake was complete, of the successful connections; 0 where there were none.
    public var minimumMilliseconds: Double
    public var maximumMilliseconds: Double
    public var averageMilliseconds: Double

    public init(_ totals: TrafficTotals) {
        sent = totals.sent
        received = totals.received
        lost = totals.lost
        lostPercent = totals.sent == 0 ? 0 : (Double(totals.lost) * 10_000 / Double(totals.sent)).rounded() / 100
        minimumMilliseconds = totals.latency?.minimum.hundredths ?? 0
        maximumMilliseconds = totals.latency?.maximum.hundredths ?? 0
        averageMilliseconds = totals.latency?.average.hundredths ?? 0
    }
}

extension Duration {
    /// Milliseconds with two places.
    fileprivate var hundredths: Double { (Double(nanoseconds) / 10_000).rounded() / 100 }
}

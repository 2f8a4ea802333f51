public import Evidence
public import LabTime
public import Measurement

/// A traffic program's figures, as `verdict.json` lists them.
public struct TrafficEntry: Hashable, Sendable, Codable {
    public var name: String
    public var kind: TrafficProgram.Kind
    public var flows: Int
    public var sent: Int
    public var received: Int
    public var lost: Int
    public var duplicated: Int
    public var reordered: Int
    /// The longest time without an answer, timestamp-based (RFC 6414, 4.2). Where `recovered` is false the true gap is
    /// at least this long. 0 where there were too few answers, and `longestGapStart` is then absent.
    public var longestGapMilliseconds: Double
    public var longestGapStart: Timestamp?
    /// The longest run of unanswered probes × the cadence, of any one flow (RFC 6414, 4.1).
    public var lossDerivedGapMilliseconds: Double
    /// False where both methods differ by more than their resolution: answers were delayed rather than lost.
    public var gapMethodsAgree: Bool
    /// The cadence: no gap is known more exactly.
    public var resolutionMilliseconds: Double
    /// Whether an answer came after the longest gap.
    public var recovered: Bool
    /// How long the application waits for an answer before it gives up.
    public var patienceMilliseconds: Double
    /// Absent where no flow was opened.
    public var outcome: FlowOutcome?
    /// How many flows ended in which way, by the outcome's word.
    public var outcomes: [String: Int]
    /// Of `http-request`: how many answers had which status; `none` where no answer came.
    public var statuses: [String: Int]?
    /// Of `command`: numbers in its output, by name.
    public var values: [String: ValueRange]?
    /// Of a program that reconnects: connections that were established after an error, over all flows.
    public var reconnects: Int?
    /// Of such a program: the longest time that a flow had none.
    public var longestDisconnectionMilliseconds: Double?
    /// Probes sent late because the machine was busy.
    public var lateProbes: Int
    /// Probes that were due and never sent.
    public var skippedProbes: Int
    /// Why probes were skipped, or why a flow did not survive: the first that gives a reason.
    public var reason: String?
    /// Of `tcp-connect`: what a TCP ping prints.
    public var connect: ConnectStatistics?

    public init(_ result: TrafficResult) {
        let figures = TrafficFigures(result)
        name = result.program.name
        kind = result.program.kind
        flows = figures.totals.flows
        sent = figures.totals.sent
        received = figures.totals.received
        lost = figures.totals.lost
        duplicated = figures.totals.duplicated
        reordered = figures.totals.reordered
        longestGapMilliseconds = figures.longestSilence?.length.roundedMilliseconds ?? 0
        longestGapStart = figures.longestSilence?.start
        lossDerivedGapMilliseconds = figures.totals.lossDerivedGap.roundedMilliseconds
        gapMethodsAgree = result.gapMethodsAgree
        resolutionMilliseconds = figures.resolution.roundedMilliseconds
        recovered = figures.longestSilence?.isOver ?? true
        patienceMilliseconds = result.program.timeout.roundedMilliseconds
        outcome = figures.totals.outcome
        outcomes = Dictionary(uniqueKeysWithValues: figures.outcomes.map { ($0.key.rawValue, $0.value) })
        if result.program.kind.type.hasStatuses {
            statuses = Dictionary(result.flows.map { ($0.status.map { "\($0)" } ?? "none", 1) }, uniquingKeysWith: +)
        }
        if let command = result.program.options(of: CommandTraffic.self), !command.values.isEmpty {
            values = ValueRange.ranges(of: command.values.map(\.name), in: result.flows)
        }
        if result.program.options.reconnect != nil {
            reconnects = result.flows.reduce(0) { $0 + ($1.reconnects ?? 0) }
            longestDisconnectionMilliseconds =
                result.flows.compactMap(\.longestDisconnection).max()?.roundedMilliseconds ?? 0
        }
        lateProbes = result.late
        skippedProbes = result.skipped
        connect = result.connect
        reason = result.problem ?? result.flows.lazy.compactMap(\.reason).first
    }
}

/// A number that runs of a command have printed.
public struct ValueRange: Hashable, Sendable, Codable {
    public var minimum: Double
    public var maximum: Double
    /// Runs that printed it.
    public var runs: Int

    /// By name; without those that no run printed.
    static func ranges(of names: [String], in flows: [FlowResult]) -> [String: ValueRange] {
        names.reduce(into: [:]) { ranges, name in
            let numbers = flows.compactMap { $0.values?[name] }
            guard let least = numbers.min(), let most = numbers.max() else { return }
            ranges[name] = ValueRange(minimum: least, maximum: most, runs: numbers.count)
        }
    }
}

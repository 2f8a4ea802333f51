internal import LabEvents
public import LabTime
public import Measurement

/// The evidence of one variant's run, on one clock: what nodes reported, what the traffic's endpoints
/// saw, and what the interfaces carried.
public struct RunEvidence: Sendable {
    public var events: [LabEvent]
    public var traffic: [TrafficResult]
    public var captures: [CaptureSummary]
    /// By node: what its HTTP services logged, in the order of the file.
    public var logs: [String: [LogLine]]
    public var source: any FrameSource
    /// What each node counted until the run's end, by node and name.
    public var counters: [String: [String: UInt64]] = [:]
    /// When the machine kept processes of the lab from running.
    public var delays: [ProcessDelay] = []
    /// Events that are missing because there were too many; nil where all are there.
    public let eventGap: RecordGap?
    /// By node: requests that are missing in its access log.
    public var logGaps: [String: RecordGap] = [:]
    /// What is missing in files of the run, for their readers.
    public var fileGaps: [FileGap] = []

    /// - Parameter events: in any order; they are kept in the order of time.
    public init(
        events: [LabEvent], traffic: [TrafficResult], captures: [CaptureSummary], logs: [String: [LogLine]] = [:],
        source: any FrameSource
    ) {
        self.events = events.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        eventGap = events.lazy.compactMap(\.leftOut).first
        self.traffic = traffic
        self.captures = captures
        self.logs = logs
        self.source = source
    }

    /// The first event of that name; nil where it never happened.
    public func firstEvent(named name: String) -> LabEvent? {
        events.first { $0.name == name }
    }

    /// When the scenario began. Runs of versions that did not record it: its first event; nil where there is none.
    public var scenarioBegin: Timestamp? {
        (firstEvent(named: LabEvent.scenarioBegin) ?? referenceEvent)?.time
    }

    /// Events of that name, in the order of time.
    public func events(named name: String) -> [LabEvent] { events.filter { $0.name == name } }

    /// Names of the events that happened, each once, in order.
    public var namesOfEvents: [String] {
        var seen = Set<String>()
        return events.map(\.name).filter { seen.insert($0).inserted }
    }

    public func traffic(named name: String) -> TrafficResult? {
        traffic.first { $0.program.name == name }
    }

    public func captures(of node: String, interface: String) -> [CaptureSummary] {
        captures.filter { $0.node == node && $0.interface == interface }
    }

    /// The event from which reports measure times where nothing else is named: the scenario's first fault.
    public var referenceEvent: LabEvent? {
        events.first { $0.isOfScenario }
    }
}

extension LabEvent {
    /// The name of the event with which the scenario begins, before its first step.
    public static let scenarioBegin = EventKind.begin.name(of: "scenario")

    /// Whether the scenario named this event (`as: failover`); a node's own reports are named `<node>.<kind>`.
    public var isOfScenario: Bool {
        guard let node else { return true }
        return name != "\(node).\(kind)"
    }
}

public import Configuration
public import Dataplane
public import Impairment
public import LabEvents
public import LabTime

/// A process between two ends of a cable, for faults on single frames. It has no address, is seen by nobody, and
/// without an armed rule only passes frames on.
public struct InLineElement: ~Copyable, Appliance {
    public let name: String
    private var cable: FaultyCable
    private var events: [ApplianceEvent] = []

    /// - Parameter compile: makes a matcher of a filter in libpcap's language
    public init(
        _ configuration: InLineElementConfiguration, compile: @escaping (String) throws -> FrameMatcher
    ) throws(ConfigurationError) {
        name = configuration.name
        do {
            cable = try FaultyCable(rules: configuration.rules, ends: configuration.ends, compile: compile)
        } catch {
            throw ConfigurationError("fault '\(error.rule)': \(error.reason)")
        }
    }

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        events.append(ApplianceEvent(.ready, at: now))
    }

    public mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        cable.process(frames, at: now, into: &output)
    }

    public var deadline: Instant? { cable.deadline }

    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        cable.advance(to: now, into: &output)
    }

    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .fault(let order): cable.perform(order, at: now, into: &output).map { .refused(reason: $0) } ?? .done
        // The lab takes the other side of a dead cable down by itself.
        case .carrier: .done
        default: .refused(reason: "\(name) is an in-line element; it takes orders about faults only")
        }
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        let faults = cable.takeEvents()
        guard !faults.isEmpty || !events.isEmpty else { return [] }
        defer { events = [] }
        return events
            + faults.map { event in
                ApplianceEvent(event.kind, at: event.at, details: event.details.merging([.rule: event.rule]) { $1 })
            }
    }

    public var counters: [CounterReading] {
        let tally = cable.tally
        return [
            CounterReading(.passed, tally.passed), CounterReading(.faultDropped, tally.dropped),
            CounterReading(.faultOverflow, tally.overflows), CounterReading(.elementQueueFull, tally.queueFull),
            CounterReading(.faultMostHeld, tally.mostHeld),
        ] + cable.actions.map { CounterReading(.faultActed, [.rule: $0.rule], $0.count) }
    }
}

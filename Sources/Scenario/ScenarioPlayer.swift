package import LabTime
package import Topology

/// Plays a scenario: what happens in the lab and time come in, orders go out. It does no I/O and reads no clock, so
/// that a lab of processes and a simulation play the same scenario.
///
/// | decided here | decided by who carries the orders out |
/// |---|---|
/// | which step is next, and when | the time of an event, which is when it is recorded |
/// | whether an event or a counter ends a wait | what the events of nodes are called |
/// | what a fault does to which node, or that it is not possible | how a process or a link is stopped |
/// | which box gets which part of a push; what a refusal means | |
/// | which answers are missing, and for how long | whether a machine was busy meanwhile |
/// | why the scenario ends | what the run's folder says then |
package struct ScenarioPlayer: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// The scenario has not begun; a lab that only takes requests stays here.
        case idle
        case beginning(AwaitedAnswers)
        /// A step is carried out, which waits at most for the outcome of a fault.
        case acting
        case pushing(PushExecution)
        case waiting(until: Instant)
        case waitingForEvent(String, Timeout)
        case waitingForCounter(CounterWait)
        /// A `stop` step.
        case stopping(AwaitedAnswers)
        /// No step is left; what traffic has outstanding is.
        case draining(AwaitedAnswers)
        case readingCounters(AwaitedAnswers)
        case completingCaptures(Timeout)
        /// The scenario is over; requests are still carried out.
        case over
        /// It failed, or the lab ends.
        case ended
    }

    var phase = Phase.idle
    var steps: ArraySlice<ScenarioStep>
    var events: EventMemory
    var traffic: TrafficProgress
    var nodes: NodeTable
    package internal(set) var frameFaults: FrameFaultTable
    var pending = PendingActions()
    var limits: ScenarioLimits?
    /// Of the step that is taken.
    var orders: [ScenarioOrder] = []

    package init(_ variant: Variant) {
        steps = variant.scenario[...]
        events = EventMemory(variant.scenario)
        traffic = TrafficProgress(variant.traffic)
        nodes = NodeTable(variant)
        frameFaults = FrameFaultTable(variant.elements)
    }

    package var hasBegun: Bool { events.hasBegun }

    /// Whether a node reports, while the scenario plays, when the machine keeps it from running.
    package func watchesDelays(of node: String) -> Bool { nodes.watched.contains(node) }

    /// When `time` is to come next; nil where nothing waits for it.
    package var deadline: Instant? {
        let ofPhase: Instant? =
            switch phase {
            case .waiting(let until): until
            case .waitingForEvent(_, let timeout), .completingCaptures(let timeout): timeout.at
            case .waitingForCounter(let wait): min(wait.timeout.at, wait.nextReading ?? wait.timeout.at)
            case .beginning(let answers), .stopping(let answers), .draining(let answers), .readingCounters(let answers):
                answers.timeout.at
            case .idle, .acting, .pushing, .over, .ended: nil
            }
        guard phase != .ended else { return nil }
        return [ofPhase, pending.deadline].compactMap(\.self).min()
    }

    /// - Parameter now: not before that of an earlier step
    /// - Returns: orders that are to be carried out one after the other
    package mutating func step(_ input: ScenarioInput, at now: Instant) -> [ScenarioOrder] {
        guard phase != .ended else { return [] }
        switch input {
        // In every phase.
        case .event(let name): happened(name, at: now)
        case .condition(let node, let condition): nodes.set(condition, of: node)
        case .request(let number, let fault, let name): request(number, fault, as: name, at: now)
        case .installed(let rule, let element): frameFaults.add(rule, on: element)
        case .performed(let ticket, let outcome): performed(ticket, outcome, at: now)
        case .trafficFinished(let name): trafficFinished(name, at: now)
        case .time: timePassed(now)
        case .failed(let failure): fail(failure)
        case .stopped: phase = .ended
        // In the phase that waits for it; ignored in any other, because its wait is over.
        case .play(let limits): if phase == .idle { begin(limits, at: now) }
        case .watchesDelays(let node): answered(.delayWatches, by: node, at: now)
        case .counters(let node, let readings, let problem): read(readings, of: node, problem, at: now)
        case .capturesComplete: capturesComplete()
        }
        defer { orders = [] }
        return orders
    }

    // MARK: Events

    /// Records an event. What waits for it goes on before what the event is about happens.
    mutating func record(_ event: ScenarioEvent, at now: Instant) {
        orders.append(.record(event))
        happened(event.name, at: now)
    }

    private mutating func happened(_ event: String, at now: Instant) {
        events.saw(event)
        if case .waitingForEvent(event, _) = phase { proceed(at: now) }
        guard phase != .ended else { return }
        for element in frameFaults.elements(awaiting: event) { orders.append(.notify(element: element, event: event)) }
    }

    // MARK: Ends

    mutating func fail(_ failure: ScenarioFailure) {
        guard phase != .ended else { return }
        phase = .ended
        orders.append(.end(.failed(failure)))
    }
}

package import LabEvents
package import Measurement
package import Topology

/// What a scenario wants done. Orders of one step are carried out in their order.
package enum ScenarioOrder: Hashable, Sendable {
    /// The step that begins, for a person who watches.
    case announce(String)
    /// Record an event, with the present time. What it is about comes after it.
    case record(ScenarioEvent)
    /// An event has happened until which an impairment link holds frames.
    case notify(element: String, event: String)
    /// Watch for delays from now on: the lab itself, and these nodes. Each is answered with `watchesDelays`.
    case watchDelays(nodes: [String])
    /// - Parameter number: of the program in the lab, from 0
    case startTraffic(TrafficProgram, number: Int)
    /// No new requests; answered with `trafficFinished` when nothing is outstanding.
    case finishTraffic(name: String, node: String)
    /// Answered with `counters`.
    /// - Parameter programs: those of the node whose counters are read beside its own
    case readCounters(node: String, programs: [String])
    /// One after the other, until one fails; answered with `performed`.
    case perform([NodeAction], ticket: Int)
    /// To the person whose request it was.
    case answer(request: Int, ScenarioFailure?)
    /// No step is left, and no traffic runs. Each node is answered with `counters`.
    case readFinalCounters(nodes: [String])
    /// Everything sent so far is to reach the capture files; answered with `capturesComplete`.
    case completeCaptures
    /// The last order.
    case end(ScenarioEnd)
}

/// How a scenario ends.
package enum ScenarioEnd: Hashable, Sendable {
    /// Every step was carried out, and every figure and capture is complete.
    case finished
    case failed(ScenarioFailure)
}

/// An event that a scenario makes; its time is when it is recorded.
package struct ScenarioEvent: Hashable, Sendable {
    package var name: String
    package var kind: EventKind
    package var node: String?
    package var details: EventDetails

    init(_ name: String, _ kind: EventKind, node: String?, _ details: EventDetails = [:]) {
        self.name = name
        self.kind = kind
        self.node = node
        self.details = details
    }
}

/// Why a scenario ended early, or a request was refused.
package struct ScenarioFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case lab
        /// What was asked for does not exist.
        case usage
        /// Something did not happen in time, which proves nothing where the machine kept the lab from running.
        case timeout
    }

    package var kind: Kind
    package var message: String
    package var remedy: String?

    package init(_ kind: Kind, _ message: String, remedy: String? = nil) {
        self.kind = kind
        self.message = message
        self.remedy = remedy
    }
}

public import Configuration
public import Dataplane
public import Impairment
public import LabEvents
public import LabTime

/// A box: ports, dataplane and redundancy. Frames, commands and time come in; frames and events go out.
///
/// Pure: an appliance does no I/O, reads no clock and draws no random number, so that the same code runs on real
/// links, in a simulation in virtual time, and under a fuzzer. The runner calls `process` once a batch, so the cost
/// of the protocol call is shared by all frames of the batch.
public protocol Appliance: ~Copyable {
    /// Called once, when every port is ready; sends the first frames (advertisements, requests).
    mutating func start(at now: Instant, into output: inout FrameQueue)

    /// Handles frames that arrived together. Frames may be rewritten in place and enqueued as they are.
    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue)

    /// The next instant at which `advance` has something to do; nil where no timer runs.
    var deadline: Instant? { get }

    /// Fires every timer that is due at `now`.
    mutating func advance(to now: Instant, into output: inout FrameQueue)

    /// Carries out what the lab asks of the box; an unsuitable command is answered with `refused` and a reason.
    mutating func perform(_ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue) -> ApplianceReply

    /// What happened since the last call, in order.
    mutating func takeEvents() -> [ApplianceEvent]

    /// Frames that are taken in before all others, from a queue of their own; nil where none are. Never changes.
    var controlChannel: ControlChannelFrames? { get }

    /// Every counter, drop reasons included, by name; for people and for the run's folder.
    var counters: [CounterReading] { get }
}

extension Appliance where Self: ~Copyable {
    public var controlChannel: ControlChannelFrames? { nil }
}

/// What a lab can ask of a running box.
public enum ApplianceCommand: Hashable, Sendable, Codable {
    /// The Active of a pair hands over to its peer and stays alive as standby.
    case switchover
    /// A port gained or lost its carrier.
    case carrier(port: String, isUp: Bool)
    /// A health monitor's verdict about a pool member (`service` and `member` as configured).
    case member(service: String, member: String, isUp: Bool)
    /// The routes that the kernel of the box's host side has now, besides connected networks: of several to one
    /// destination each takes its share of the flows.
    case routes([RouteConfiguration])
    /// Another weight for a pool member, 1 … 100.
    case weight(service: String, member: String, weight: Int)
    /// The connection table of a box that has one.
    case connections
    /// Forgets connections of a box that has a table of them, as if their time had come.
    case clear(ConnectionFilter)
    /// About the faults of an in-line element.
    case fault(FaultOrder)
    /// About what a firewall lets through.
    case policy(PolicyOrder)
}

public enum ApplianceReply: Hashable, Sendable, Codable {
    case done
    case refused(reason: String)
    case connections(ConnectionList)
    /// Of a box of a pair.
    case role(isActive: Bool)
    /// What a firewall starts with when it starts again.
    case configuration(PolicyConfiguration, NATConfiguration?)
}

/// Something that a person who reads the run wants to know: an election, a member that left its pool.
public struct ApplianceEvent: Hashable, Sendable, Codable {
    public var kind: EventKind
    /// The instant at which it happened, on the appliance's clock.
    public var at: Instant
    /// What its declaration lists: `[.reason: "priority 0 from peer"]`.
    public var details: EventDetails

    public init(_ kind: EventKind, at: Instant, details: EventDetails = [:]) {
        self.kind = kind
        self.at = at
        self.details = details
    }
}

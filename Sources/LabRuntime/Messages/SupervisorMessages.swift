public import Appliances
public import Capture
public import LabTime
public import Topology

/// What a supervisor is to build, and what to do with it.
struct LabAssignment: Codable, Sendable {
    var variant: Variant
    /// Absolute path of the variant's run folder; it exists.
    var folder: String
    var id: String
    var task: LabTask
    /// PID of the command that starts the lab.
    var command: Int32
    /// What all captures may hold together.
    var captureLimit: CaptureLimit
}

/// What a lab is started for.
public enum LabTask: Codable, Sendable, Hashable {
    /// Plays its scenario on an order; then ends on an order, or stays up for inspection.
    case scenario(stays: Bool)
    /// Waits for orders (`up`).
    case orders

    /// Whether the lab outlives the command that started it.
    public var isPersistent: Bool { self != .scenario(stays: false) }

    /// Evidence of a run must be whole, from its first frame on; of a lab that stays up the newest frames count.
    public var capturePolicy: CaptureLimit.Policy { self == .orders ? .keepsNewest : .keepsFirst }
}

/// Orders of the command, or of a client on the lab's socket, to a supervisor.
enum SupervisorOrder: Codable, Sendable {
    case build(LabAssignment)
    /// The scenario begins; the lab is ready. Answered with `finished` when it is over and the run's folder complete.
    case play
    /// After `finished`: the lab is taken down.
    case takeDown
    /// Answered with `status`.
    case status
    /// Answered with `done` or `failed`; the fault's event has the given name.
    case fail(Fault, name: String?)
    /// A step on a node, as a lab file would have it in its scenario; answered with `done` or `failed`.
    case step(text: String)
    /// A fault on single frames, as a lab file would have it below `faults:`; answered with `done` or `failed`.
    case impair(text: String)
    /// Answered with one byte that carries the descriptors of the node's network namespace, the lab's PID and mount
    /// namespaces, and the user namespaces of the lab and of its programs.
    case enter(node: String, side: NodeSide)
    /// Answered with `connections` or `failed`.
    case connections(node: String)
    /// Ends the lab. A client on the lab's socket is answered with one byte that carries a descriptor, which hangs up
    /// when the kernel has reclaimed everything.
    case stop
}

/// The two sides of a box; any other node has one only.
enum NodeSide: Codable, Sendable {
    /// Where its programs run.
    case host
    /// Where its cables are.
    case wire
}

/// Messages of a supervisor about its lab.
public enum SupervisorReport: Codable, Sendable {
    /// Every role is ready and every capture armed.
    case ready(after: Duration)
    /// What the scenario does now, for the progress line.
    case step(String)
    /// The scenario is over and the run's folder complete. Its nodes have ended, its network has not.
    /// - Parameter longestDelay: for how long the machine kept a process of the lab from running at most
    case finished(after: Duration, longestDelay: Duration)
    case failed(LabFailure)
    case status(LabStatus)
    case connections(ConnectionList)
    case done
}

/// A running lab, for `failoverlab status`.
public struct LabStatus: Codable, Sendable, Hashable {
    public struct NodeStatus: Codable, Sendable, Hashable {
        public var name: String
        public var role: String
        /// `ready`, `active`, `backup`, `powered-off`, `hung`, …
        public var state: String
        /// Third-party programs; nil where it has none.
        public var programs: [String]?
        /// The container image of these; nil where they see the host's files.
        public var image: NodeImage?
        /// `inside 198.51.100.2/24 02:…`, one for each interface.
        public var interfaces: [String]
    }

    public var id: String
    public var folder: String
    public var since: Timestamp
    public var state: String
    /// PID of the `failoverlab run` that the lab belongs to and ends with; nil of a lab that stays up.
    public var run: Int32?
    /// What its captures hold, as of the last second; nil before they have frames.
    public var captures: CaptureVolume?
    public var nodes: [NodeStatus]
}

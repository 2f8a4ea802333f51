internal import Appliances
internal import LabTime
internal import Measurement
internal import Topology

/// What the supervisor tells a node's process, one JSON value a line.
enum NodeOrder: Codable, Sendable {
    /// The first line: what this node is. Answered with `prepared` when its sockets are open.
    /// - Parameter logs: the folder of the run's logs
    case prepare(Node, logs: String)
    /// Captures are armed: the program may send. Answered with `ready` when the node's role is settled.
    case start
    /// Answered with `reply` of the same number.
    case command(number: Int, ApplianceCommand)
    case startTraffic(TrafficProgram, number: Int)
    /// Ask nothing new, wait for what is outstanding, answer with `traffic`.
    case finishTraffic(name: String)
    /// Answered with `counters`.
    case readCounters
}

/// What a node's process tells the supervisor.
enum NodeReport: Codable, Sendable {
    case prepared
    case ready
    case event(kind: String, time: Timestamp, details: [String: String])
    case reply(number: Int, ApplianceReply)
    case traffic(TrafficResult)
    case counters([CounterReading])
    /// The node cannot do its work; the process ends.
    case failed(String)
}

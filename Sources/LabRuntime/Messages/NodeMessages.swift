internal import Appliances
internal import Configuration
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology

/// Messages of the supervisor to a node's process, one JSON value per line.
enum NodeOrder: Codable, Sendable {
    /// The first line: what this node is. Answered with `prepared` when its sockets are open.
    /// - Parameter folder: that of the run
    case prepare(Node, folder: String)
    /// Captures are armed: the program may send. Answered with `ready` when the node's role is settled.
    case start
    /// All nodes are ready, so a load balancer's health monitors begin. Answered with `monitoring` when each of them has
    /// had a first answer, or a timeout, from every member.
    case startMonitors
    /// Answered with `reply` of the same number.
    case command(number: Int, ApplianceCommand)
    /// About one of the node's programs; answered with `reply` of the same number when it has ended, or is ready.
    case program(number: Int, name: String, ProgramOrder)
    /// Answered with `step` when it ends, and with `reply` of the same number.
    /// - Parameter event: the name of the step's event
    case run(number: Int, NodeCommand, event: String)
    /// - Parameter log: the process's descriptor for what commands of the program print; nil of other kinds
    case startTraffic(TrafficProgram, number: Int, log: Int32?)
    /// Ask nothing new, wait for what is outstanding, answer with `traffic`.
    case finishTraffic(name: String)
    /// Answered with `counters`.
    /// - Parameter programs: those whose counters are read as well; nil for all
    case readCounters(programs: [String]?)
    /// Whether to report when the machine keeps the process from running; answered with `watchingDelays` where it is.
    case watchDelays(Bool)
}

/// Messages of a node's process to the supervisor.
enum NodeReport: Codable, Sendable {
    case prepared
    case ready
    case monitoring
    case event(kind: EventKind, time: Timestamp, details: EventDetails)
    /// A program was started or has ended, or a line of its output is an event.
    case output(
        program: String, event: String, time: Timestamp, details: [String: String], kind: EventKind = .output)
    /// An event of a step of the scenario, with its whole name.
    case step(event: String, kind: EventKind, time: Timestamp, details: EventDetails)
    case reply(number: Int, ApplianceReply)
    case traffic(TrafficResult)
    /// Every long-lived flow of a traffic program has had its first answer; of the other kinds, its first probe has
    /// ended.
    case trafficAnswered(name: String, at: Timestamp)
    /// - Parameter problem: why counters of programs are missing
    case counters([CounterReading], problem: String? = nil)
    /// The machine kept the node's process from running.
    case delayed(from: Timestamp, to: Timestamp, waited: Duration)
    /// A firewall's configuration, to start with when it is powered on again; sent before the event that it is in
    /// effect.
    case saved(PolicyConfiguration, NATConfiguration?)
    case watchingDelays
    /// The node cannot do its work; the process ends.
    case failed(String)
    /// A program of the node, by its name, cannot do its work; the process ends.
    case programFailed(String, reason: String)
}

enum ProgramOrder: Codable, Sendable {
    /// SIGKILL for the program and all that it started.
    case kill
    /// A program that was killed, or has ended.
    case start
    /// Ends it, where it runs, and starts it.
    case restart
    /// - Parameter ends: whether its end is expected from now on
    case signal(ProgramSignal, ends: Bool)
}

public import LabTime
public import Wire

/// How a flow, or a whole traffic program, ended.
public enum FlowOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every request was answered within the application's timeout.
    case survived
    /// The application waited for its timeout without an answer and gave up.
    case timedOut = "timed-out"
    /// The connection was reset.
    case reset
    /// The connection was refused, or an ICMP error reported the port unreachable; of `http-request` also an answer
    /// with a status from 400 up, of `dns` one that is truncated or has another RCODE than expected.
    case refused
    /// Of `command`: its exit code or its output was another than it must be, or it could not be run.
    case failed
    /// Flows of one program that ended differently; never the outcome of a single flow.
    case mixed
}

/// An interval without an answer, by the two methods of RFC 6414, 4.
public struct Gap: Hashable, Sendable, Codable {
    /// When the last answer before the gap arrived.
    public var start: Timestamp
    /// Timestamp-based: time between the two answers around the gap.
    public var length: Duration

    public init(start: Timestamp, length: Duration) {
        self.start = start
        self.length = length
    }
}

/// One flow's figures. Of kinds such as `tcp-connect`, `udp-request` and `dns`, every probe is a flow of its own.
public struct FlowResult: Hashable, Sendable, Codable {
    /// The client's own address and port: with the program's target it names the flow in every capture.
    public var source: IPAddress
    public var sourcePort: UInt16
    public var start: Timestamp
    public var end: Timestamp
    public var sent: Int
    public var received: Int
    public var lost: Int
    public var duplicated: Int
    public var reordered: Int
    /// The longest gap between two answers or, for a flow that did not survive, from its last answer to its end. nil
    /// where fewer than two answers arrived and the flow survived, or none arrived at all.
    public var longestGap: Gap?
    /// The longest run of unanswered probes × the cadence: the loss-derived method, beside `longestGap`.
    public var lossDerivedGap: Duration
    public var outcome: FlowOutcome
    /// For the kinds that open a connection for each probe: time until the handshake (or the answer) was complete.
    public var latency: Duration?
    /// What ended the flow, in words, where it did not survive.
    public var reason: String?
    /// Bytes (TCP) or datagrams (UDP) that came in and were no answer to anything asked.
    public var garbage: Int
    /// Of `http-request`: the answer's status, where there was one.
    public var status: Int?
    /// From where it went on, after a connection that failed, or with another source port; nil where it never did.
    public var laterEnds: [FlowEnd]?
    /// Connections that were established after an error; nil of programs that do not reconnect.
    public var reconnects: Int?
    /// The longest time from an error to the next connection, or to the flow's end where there was none.
    public var longestDisconnection: Duration?
    /// Of `command`: the exit code, of a signal 128 and its number; nil where it did not end by itself.
    public var exit: Int?
    /// Of `command`: numbers in its output, by name.
    public var values: [String: Double]?

    /// Ends that a flow has at most: it then neither reconnects nor changes its port any more.
    public static let mostEnds = 1000

    public init(
        source: IPAddress, sourcePort: UInt16, start: Timestamp, end: Timestamp, sent: Int, received: Int, lost: Int,
        duplicated: Int, reordered: Int, longestGap: Gap?, outcome: FlowOutcome, latency: Duration?,
        lossDerivedGap: Duration = .zero, reason: String? = nil, garbage: Int = 0,
        status: Int? = nil, laterEnds: [FlowEnd]? = nil, reconnects: Int? = nil, longestDisconnection: Duration? = nil
    ) {
        self.source = source
        self.sourcePort = sourcePort
        self.start = start
        self.end = end
        self.sent = sent
        self.received = received
        self.lost = lost
        self.duplicated = duplicated
        self.reordered = reordered
        self.longestGap = longestGap
        self.outcome = outcome
        self.latency = latency
        self.lossDerivedGap = lossDerivedGap
        self.reason = reason
        self.garbage = garbage
        self.status = status
        self.laterEnds = laterEnds
        self.reconnects = reconnects
        self.longestDisconnection = longestDisconnection
    }

    /// The client's addresses and ports, in the order of their starts.
    public var ends: [FlowEnd] {
        [FlowEnd(source: source, sourcePort: sourcePort, start: start, isAnswered: received > 0)] + (laterEnds ?? [])
    }
}

/// The client's address and port of a connection, or of a part of a flow of datagrams.
public struct FlowEnd: Hashable, Sendable, Codable {
    public var source: IPAddress
    public var sourcePort: UInt16
    public var start: Timestamp
    /// Whether the server's handshake, or a datagram, came back.
    public var isAnswered: Bool

    public init(source: IPAddress, sourcePort: UInt16, start: Timestamp, isAnswered: Bool) {
        self.source = source
        self.sourcePort = sourcePort
        self.start = start
        self.isAnswered = isAnswered
    }
}

/// All figures of one traffic program.
public struct TrafficResult: Hashable, Sendable, Codable {
    public var program: TrafficProgram
    public var flows: [FlowResult]
    /// Of `udp-crowd`: the flows that are not listed one by one.
    public var further: FurtherFlows?
    /// Probes that were due but sent late because the machine was busy, by more than half the cadence.
    public var late: Int
    /// Probes that were due and never sent, because a stated bound was reached or the host had no port left; of
    /// `udp-crowd` also flows that never asked.
    public var skipped: Int
    /// Why the last probe was skipped, in words.
    public var problem: String?
    /// Of `tcp-connect`.
    public var connect: ConnectStatistics?

    public init(
        program: TrafficProgram, flows: [FlowResult], late: Int, skipped: Int = 0, problem: String? = nil,
        further: FurtherFlows? = nil
    ) {
        self.program = program
        self.flows = flows
        self.further = further
        self.late = late
        self.skipped = skipped
        self.problem = problem
        if program.kind.type.hasConnectStatistics {
            connect = ConnectStatistics(TrafficTotals(of: flows, opensFlowForEachProbe: true))
        }
    }
}

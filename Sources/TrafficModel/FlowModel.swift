package import LabTime
package import Measurement

/// One flow of a traffic program: when it asks, what counts as an answer, and when it gives up. It does no I/O but by
/// the transport that it is given, and reads no clock.
///
/// Of a flow that has ended every further step is ignored.
package protocol FlowModel {
    /// When `time` is to come next; nil where nothing waits for it.
    var deadline: Instant? { get }
    /// Whether bytes wait for the connection to take them.
    var wantsToSend: Bool { get }
    /// Requests that were sent late.
    var late: Int { get }
    /// Whether another flow may use the connection after its end.
    var leavesConnectionUsable: Bool { get }

    mutating func step(
        _ input: FlowInput, at now: Instant, over transport: inout some FlowTransport
    ) -> [FlowEvent]

    /// The figures of the flow, if it ends now.
    func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures
}

extension FlowModel {
    package var leavesConnectionUsable: Bool { false }
}

package enum FlowInput: Hashable, Sendable {
    /// The handshake is complete; of datagrams, the socket that was ordered is there.
    case connected
    /// The connection failed, or could not even be opened.
    case failed(FlowEnding)
    /// The connection takes bytes.
    case writable
    /// Bytes, the end of the stream, or an error may be there.
    case readable
    /// The deadline has come, or any other time has.
    case time
    /// Ask nothing more, and end when what was asked is answered or timed out.
    case finish
}

/// What a flow does with its connections beside the first.
package enum ConnectionOrder: Hashable, Sendable {
    /// Lets go of the connection.
    case close
    /// Opens one from a source port of its own, in the place of the one that there may be.
    case open
}

package enum FlowEvent: Hashable, Sendable {
    case firstAnswer
    case connection(ConnectionOrder)
    /// A request that was due was not sent, and why.
    case skipped(String)
    /// The last event.
    case ended(FlowEnding)
}

package struct FlowFigures: Hashable, Sendable {
    package var started: Instant
    package var reading: FlowReading
    /// Until the handshake was complete, or until the answer, where a flow is one request.
    package var latency: Duration?
    /// Bytes, or datagrams, that were no answer.
    package var garbage = 0
    /// Of an HTTP answer.
    package var status: Int?
    /// Of a flow that reconnects.
    package var reconnects: Int?
    package var longestDisconnection: Duration?
    /// Of a command.
    package var exit: Int?
    package var values: [String: Double]?
}

/// Which flow of which program: what its records carry.
package struct FlowIdentity: Hashable, Sendable {
    package let program: TrafficProgram
    /// The program's number in its node.
    package let number: UInt32
    package let flow: UInt32

    package init(_ program: TrafficProgram, number: UInt32, flow: UInt32) {
        self.program = program
        self.number = number
        self.flow = flow
    }

    /// How long the application waits for an answer.
    var timeout: Duration { program.timeout }

    func meter(cadence: Duration) -> FlowMeter { FlowMeter(cadence: cadence, timeout: timeout) }

    func record(_ sequence: UInt64, at now: Instant) -> ProbeRecord {
        ProbeRecord(
            program: number, flow: flow, sequence: sequence, sentAt: now,
            length: program.length(flow: flow, sequence: sequence))
    }

    func isOwn(_ record: ProbeRecord) -> Bool { record.program == number && record.flow == flow }
}

extension FlowMeter {
    init(cadence: Duration, timeout: Duration, remembersAtLeast least: Int = 1024) {
        self.init(cadence: cadence, patience: timeout, remembersAtLeast: least)
    }
}

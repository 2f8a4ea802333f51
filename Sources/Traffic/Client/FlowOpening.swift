internal import LabTime
internal import Measurement
internal import TrafficModel

/// How the flows of a kind of traffic are opened.
enum FlowOpening: Sendable {
    /// What a flow begins with.
    struct Start {
        var identity: FlowIdentity
        /// After the program's start, for the first request.
        var offset: Duration
        var now: Instant
    }

    typealias Make =
        @Sendable (_ start: Start, _ context: FlowContext, _ callbacks: FlowCallbacks) -> any Flow

    /// Each by itself.
    case each(Make)
    /// All of a program by one `ManyFlowGenerator`.
    case together

    /// One line a kind: the kinds are those of `TrafficKinds`.
    static let table: [TrafficProgram.Kind: FlowOpening] = [
        .tcpStream: .each {
            SocketFlow(
                StreamModel($0.identity, offset: $0.offset, at: $0.now), over: .tcp, connectsAtOnce: true, $1,
                callbacks: $2)
        },
        .udp: .each {
            SocketFlow(DatagramModel($0.identity, offset: $0.offset, at: $0.now), over: .udp, $1, callbacks: $2)
        },
        .udpRequest: .each { SocketFlow(RequestModel($0.identity, at: $0.now), over: .udp, $1, callbacks: $2) },
        .tcpConnect: .each { SocketFlow(ConnectionModel($0.identity, at: $0.now), over: .tcp, $1, callbacks: $2) },
        .httpRequest: .each { SocketFlow(ConnectionModel($0.identity, at: $0.now), over: .tcp, $1, callbacks: $2) },
        .ftp: .each { TransferFlow($1, offset: $0.offset, callbacks: $2) },
        .udpManyFlows: .together,
        .ping: .each {
            SocketFlow(EchoModel($0.identity, offset: $0.offset, at: $0.now), over: .echo, $1, callbacks: $2)
        },
        .command: .each {
            CommandFlow(
                CommandModel($0.identity.program, at: $0.now), run: Int($0.identity.flow) + 1, $1, callbacks: $2)
        },
        // A late answer to a socket that a resolver has closed is none.
        .dns: .each {
            SocketFlow(DNSModel($0.identity, at: $0.now), over: .udp, keepsFormer: false, $1, callbacks: $2)
        },
    ]

    /// A test sees that every kind has its line.
    static func of(_ kind: TrafficProgram.Kind) -> FlowOpening {
        guard let opening = table[kind] else { preconditionFailure("no flows of kind \(kind.rawValue)") }
        return opening
    }
}

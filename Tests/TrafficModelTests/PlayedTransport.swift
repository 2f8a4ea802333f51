import LabTime
import Measurement
import TrafficModel
import Wire

/// A connection, or a socket for datagrams, that a test plays.
struct PlayedTransport: TransferTransport {
    /// What was sent, call by call.
    var sent: [[UInt8]] = []
    /// What is there to be received, call by call.
    var incoming: [[UInt8]] = []
    /// What comes after that.
    var ending = TransportOutcome.wouldBlock
    /// Bytes that the send buffer still takes.
    var room = Int.max
    var sendFailure: FlowEnding?
    var handshake = ConnectionState.pending
    var peer: Endpoint? = Endpoint(address: .ipv4(IPv4Address("192.0.2.7")!), port: 21)
    var listening = DataListening.listening(Endpoint(address: .ipv4(IPv4Address("198.51.100.1")!), port: 1025))
    /// Where data connections were opened to.
    var dataTargets: [Endpoint] = []
    var dataRefusal: FlowEnding?
    var data: [[UInt8]] = []
    var dataEnding = TransportOutcome.wouldBlock
    var dataClosings = 0

    mutating func connection() -> ConnectionState { handshake }

    mutating func send(_ bytes: UnsafeRawBufferPointer) -> TransportOutcome {
        if let sendFailure { return .failed(sendFailure) }
        guard room > 0 else { return .wouldBlock }
        let count = min(room, bytes.count)
        room -= count
        sent.append(Array(bytes.prefix(count)))
        return .bytes(count)
    }

    mutating func receive(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome {
        Self.receive(from: &incoming, ending, take)
    }

    mutating func listenForData() -> DataListening { listening }

    mutating func connectData(to endpoint: Endpoint) -> FlowEnding? {
        dataTargets.append(endpoint)
        return dataRefusal
    }

    mutating func receiveData(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome {
        Self.receive(from: &data, dataEnding, take)
    }

    mutating func closeData() { dataClosings += 1 }

    private static func receive(
        from chunks: inout [[UInt8]], _ ending: TransportOutcome, _ take: (UnsafeRawBufferPointer) -> Bool
    ) -> TransportOutcome {
        while !chunks.isEmpty {
            let chunk = chunks.removeFirst()
            guard chunk.withUnsafeBytes({ take($0) }) else { return .wouldBlock }
        }
        return ending
    }

    // MARK: For tests

    /// Everything that was sent comes back, as from an echo server.
    mutating func echo() {
        incoming += sent
        sent = []
    }

    var sentText: String { String(decoding: sent.joined(), as: UTF8.self) }
}

/// A flow in virtual time, in milliseconds.
struct PlayedFlow<Model: FlowModel> {
    var model: Model
    var transport = PlayedTransport()
    private(set) var events: [FlowEvent] = []

    init(_ model: Model) { self.model = model }

    static var began: Instant { playedTime(0) }

    @discardableResult
    mutating func step(_ input: FlowInput, at milliseconds: Int) -> [FlowEvent] {
        let new = model.step(input, at: playedTime(milliseconds), over: &transport)
        events += new
        return new
    }

    /// Lets time pass from deadline to deadline, and answers each request at once where asked.
    mutating func run(until milliseconds: Int, echoes: Bool = false) {
        while let deadline = model.deadline, deadline <= playedTime(milliseconds) {
            let now = Int(deadline.nanoseconds / 1_000_000)
            step(.time, at: now)
            if echoes, !transport.sent.isEmpty {
                transport.echo()
                step(.readable, at: now)
            }
        }
    }

    var ending: FlowEnding? {
        for case .ended(let ending) in events { return ending }
        return nil
    }

    func reading(at milliseconds: Int) -> FlowReading {
        model.figures(at: playedTime(milliseconds), ending ?? .survived).reading
    }

    /// Numbers of the requests that were sent.
    var requests: [UInt64] {
        var numbers: [UInt64] = []
        var parser = ProbeParser()
        for bytes in transport.sent { bytes.withUnsafeBytes { parser.consume($0) { numbers.append($0.sequence) } } }
        return numbers
    }
}

extension FlowInput {
    /// One of each.
    static let all: [FlowInput] = [
        .connected, .failed(FlowEnding(outcome: .reset)), .writable, .readable, .time, .finish,
    ]
}

func playedTime(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

func playedProgram(
    _ kind: TrafficProgram.Kind, every: Duration = .milliseconds(10), timeout: Duration = .milliseconds(100),
    retryEvery: Duration = .milliseconds(30), exchanges: Bool = true, payload: Int = 32,
    transfer: FileTransfer? = nil, options: (any TrafficKind)? = nil
) -> TrafficProgram {
    let own: any TrafficKind =
        switch kind {
        case .tcpConnect: TCPConnectTraffic(exchanges: exchanges)
        case .udpRequest: UDPRequestTraffic(retryEvery: retryEvery)
        case .httpRequest: HTTPRequestTraffic(path: "/x", usesTLS: false)
        case .ftp: FTPTraffic(transfer ?? FileTransfer())
        default: kind.type.init()
        }
    return TrafficProgram(
        name: "test", options: options ?? own, from: "client", target: .ipv4(IPv4Address("192.0.2.7")!), port: 7,
        every: every, payload: payload, timeout: timeout)
}

extension FlowIdentity {
    static func played(_ program: TrafficProgram) -> FlowIdentity { FlowIdentity(program, number: 1, flow: 4) }
}

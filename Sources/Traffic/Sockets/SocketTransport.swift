internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TLSSession
internal import TrafficModel

/// A connection, or a socket for datagrams, of the kernel; with TLS between it and the flow where the program has it.
struct SocketTransport: FlowTransport {
    let socket: Socket
    private let tls: ClientTLSSession?
    /// TLS records that the kernel has not taken.
    private var records: [UInt8] = []
    var isConnected = false
    var interest: EventLoop.Interest = .readable
    /// Of ICMP echo: of the next request.
    private var sequence: UInt16 = 1
    let openedAt: Instant
    /// Its number among the ends of the flow that uses it.
    var end = 0
    private(set) var hasReceived = false

    init(_ socket: Socket, _ tls: ClientTLSSession? = nil, openedAt: Instant) {
        self.socket = socket
        self.tls = tls
        self.openedAt = openedAt
    }

    var wantsToSend: Bool { !records.isEmpty }

    func connection() -> ConnectionState {
        if isConnected { return .complete }
        if let error = socket.takeError() { return .failed(FlowEnding(error)) }
        return socket.isConnected ? .complete : .pending
    }

    mutating func send(_ bytes: UnsafeRawBufferPointer) -> TransportOutcome {
        if socket.kind == .echo {
            defer { sequence &+= 1 }
            return TransportOutcome(socket.sendEcho(bytes, sequence: sequence))
        }
        guard let tls else { return TransportOutcome(socket.send(bytes)) }
        do {
            records += try tls.send(Array(bytes))
        } catch {
            return .failed(.tlsFailed(error))
        }
        return flush().map { .failed($0) } ?? .bytes(bytes.count)
    }

    /// - Returns: why the flow ends; nil where it goes on
    mutating func flush() -> FlowEnding? {
        guard !records.isEmpty else { return nil }
        switch records.withUnsafeBytes({ socket.send($0) }) {
        case .bytes(let count): records.removeFirst(count)
        case .wouldBlock, .endOfStream: break
        case .failed(let error): return FlowEnding(error == .brokenPipe ? .connectionReset : error)
        }
        return nil
    }

    mutating func receive(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome {
        var isWanted = true
        var ending: FlowEnding?
        let outcome = socket.receiveAll(isStream: socket.kind == .tcp, while: { isWanted && ending == nil }) { bytes in
            hasReceived = true
            if socket.kind == .echo {
                if let data = socket.echoData(bytes) { isWanted = take(data) }
                return
            }
            guard let tls else { return isWanted = take(bytes) }
            do {
                let (answer, reply) = try tls.receive(bytes)
                records += reply
                ending = flush()
                if ending == nil, !answer.isEmpty { isWanted = answer.withUnsafeBytes { take($0) } }
            } catch {
                ending = .tlsFailed(error)
            }
        }
        return ending.map { .failed($0) } ?? TransportOutcome(outcome)
    }
}

extension TransportOutcome {
    init(_ outcome: Socket.Outcome) {
        self =
            switch outcome {
            case .bytes(let count): .bytes(count)
            case .wouldBlock: .wouldBlock
            case .endOfStream: .endOfStream
            // What the flow means by it: its peer is gone.
            case .failed(let error): .failed(FlowEnding(error == .brokenPipe ? .connectionReset : error))
            }
    }
}

extension FlowEnding {
    static func tlsFailed(_ error: any Error) -> FlowEnding {
        FlowEnding(outcome: .refused, reason: "TLS: \(ClientTLSSession.words(error))")
    }
}

internal import EventLoop
internal import Measurement
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// Sockets that serve many flows each: every datagram names the address from which it leaves.
struct ManyFlowSockets: ManyFlowTransport, ~Copyable {
    private let target: Endpoint
    private var sockets: [Socket] = []
    /// Of each socket.
    private var ports: [UInt16] = []
    private var messages: DatagramBuffers

    init(to target: Endpoint) {
        self.target = target
        messages = DatagramBuffers(target.address.family)
    }

    /// Opens one more.
    /// - Returns: its descriptor
    mutating func open(_ sourcePorts: SourcePorts) throws(Errno) -> Int32 {
        let socket = try Socket(.udp, target.address.family)
        try socket.reportLocalAddress()
        try sourcePorts.bind(socket)
        ports.append(socket.localEndpoint?.port ?? 0)
        sockets.append(socket)
        return socket.descriptor
    }

    func port(_ number: Int) -> UInt16 { ports[number] }

    mutating func send(_ bytes: [UInt8], from origin: FlowOrigins.Origin) -> TransportOutcome {
        switch messages.send(bytes, from: origin.source, to: target, on: sockets[origin.port].descriptor) {
        case nil: .bytes(bytes.count)
        case .wouldBlock?, .noBufferSpace?: .wouldBlock
        case let error?: .failed(FlowEnding(error))
        }
    }

    mutating func receive(port: Int, atMost most: Int, _ take: (ReceivedDatagram) -> Void) {
        guard sockets.indices.contains(port) else { return }
        for _ in 0..<most {
            guard messages.receive(on: sockets[port].descriptor) else { return }
            take(
                ReceivedDatagram(
                    bytes: messages.received, sender: messages.senderEndpoint, localAddress: messages.localAddress))
        }
    }

    mutating func close(on loop: EventLoop) {
        for socket in sockets {
            loop.unwatch(socket.descriptor)
            socket.close()
        }
        sockets = []
    }
}

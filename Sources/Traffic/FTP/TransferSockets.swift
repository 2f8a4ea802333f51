internal import EventLoop
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// The sockets of a file transfer.
struct TransferSockets: TransferTransport {
    var control: SocketTransport
    private let context: FlowContext
    private let onData: (EventLoop.Readiness) -> Void
    private let onAccept: () -> Void
    private var listener: Socket?
    private var data: Socket?
    /// The handshake of a data connection that the client opens is not complete.
    private(set) var isConnectingData = false

    init(
        control: SocketTransport, _ context: FlowContext, onData: @escaping (EventLoop.Readiness) -> Void,
        onAccept: @escaping () -> Void
    ) {
        self.control = control
        self.context = context
        self.onData = onData
        self.onAccept = onAccept
    }

    func connection() -> ConnectionState { control.connection() }
    mutating func send(_ bytes: UnsafeRawBufferPointer) -> TransportOutcome { control.send(bytes) }
    mutating func receive(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome { control.receive(take) }
    var peer: Endpoint? { control.socket.peerEndpoint }

    mutating func listenForData() -> DataListening {
        do throws(Errno) {
            guard let own = control.socket.localEndpoint else { throw .socketNotConnected }
            let socket = try Socket(.tcp, own.address.family)
            try socket.bind(Endpoint(address: own.address, port: 0))
            try socket.listen(backlog: 1)
            try context.loop.watch(socket.descriptor) { [onAccept] _ in onAccept() }
            listener = socket
            guard let endpoint = socket.localEndpoint else { throw .socketNotConnected }
            return .listening(endpoint)
        } catch {
            return .failed(FlowEnding(error))
        }
    }

    mutating func connectData(to endpoint: Endpoint) -> FlowEnding? {
        do throws(Errno) {
            let socket = try Socket(.tcp, endpoint.address.family)
            try context.ports.bind(socket)
            try socket.resetWhenClosed()
            _ = try socket.connect(endpoint)
            try watchData(socket, for: [.readable, .writable])
            isConnectingData = true
            return nil
        } catch {
            return FlowEnding(error)
        }
    }

    /// - Returns: whether there is a connection that was not there before
    mutating func accept() throws(Errno) -> Bool {
        guard data == nil, let socket = try? listener?.accept() else { return false }
        try socket.resetWhenClosed()
        try watchData(socket, for: .readable)
        return true
    }

    private mutating func watchData(_ socket: Socket, for interest: EventLoop.Interest) throws(Errno) {
        try context.loop.watch(socket.descriptor, for: interest) { [onData] in onData($0) }
        data = socket
    }

    /// Why the data connection that the client opens cannot be.
    func connectError() -> Errno? { isConnectingData ? data?.takeError() : nil }

    mutating func dataIsConnected() {
        isConnectingData = false
        if let data { try? context.loop.change(data.descriptor, to: .readable) }
    }

    mutating func receiveData(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome {
        guard let data else { return .wouldBlock }
        var isWanted = true
        return TransportOutcome(data.receiveAll(isStream: true, while: { isWanted }) { isWanted = take($0) })
    }

    mutating func closeData() {
        if let listener {
            context.loop.unwatch(listener.descriptor)
            listener.close()
        }
        if let data {
            context.loop.unwatch(data.descriptor)
            context.parting.part(with: data)
        }
        (listener, data, isConnectingData) = (nil, nil, false)
    }
}

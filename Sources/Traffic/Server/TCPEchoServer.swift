internal import EventLoop
internal import SystemPackage
internal import Wire

/// Returns every byte of its connections, in order.
///
/// Bounds: `mostConnections` at the same time (more wait in the listen queue); for each connection at most one buffer
/// of bytes that its client does not take yet, while nothing more is read from it.
final class TCPEchoServer {
    static let mostConnections = 16_384
    /// How long no connection is accepted after the host had no descriptor left.
    private static let breather: Duration = .milliseconds(50)

    private let loop: EventLoop
    private let listener: Socket
    private let parting: PartingSockets
    private var connections: [Int32: EchoConnection] = [:]
    private var isListening = false
    private var timer: EventLoop.Timer?

    init(at endpoint: Endpoint, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        parting = PartingSockets(on: loop)
        listener = try Socket(.tcp, endpoint.address.family)
        try listener.acceptBothFamilies()
        try listener.allowAddressReuse()
        try listener.bind(endpoint)
        try listener.listen(backlog: 1024)
        try listen()
    }

    var endpoint: Endpoint? { listener.localEndpoint }

    /// Closes the listener and every connection. A connection with unread bytes is reset by the kernel.
    func close() {
        pause()
        if let timer { loop.cancel(timer) }
        listener.close()
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    private func listen() throws(Errno) {
        guard !isListening else { return }
        try loop.watch(listener.descriptor) { [unowned self] _ in accept() }
        isListening = true
    }

    private func pause() {
        guard isListening else { return }
        loop.unwatch(listener.descriptor)
        isListening = false
    }

    private func accept() {
        do throws(Errno) {
            while connections.count < Self.mostConnections {
                guard let socket = try listener.accept() else { return }
                try open(socket)
            }
            pause()
        } catch {
            // No descriptor or no memory: the queue stays as it is, and is looked at again a little later.
            pause()
            timer = loop.schedule(after: Self.breather) { [unowned self] in try? listen() }
        }
    }

    private func open(_ socket: Socket) throws(Errno) {
        try socket.disableNagle()
        try socket.resetWhenClosed()
        let descriptor = socket.descriptor
        connections[descriptor] = try EchoConnection(socket, on: loop, parting: parting) { [unowned self] in
            connections[descriptor] = nil
            if connections.count == Self.mostConnections - 1 { try? listen() }
        }
    }
}

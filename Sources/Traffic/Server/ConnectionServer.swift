internal import EventLoop
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// What a server does with one TCP connection.
protocol ServedConnection: AnyObject {
    /// Closes without telling the server.
    func close()
}

/// Listens for TCP connections, and keeps each until its client has gone.
///
/// Bounds: so many connections at the same time; more wait in the listen queue.
final class ConnectionServer {
    /// Begins to serve a connection; calls the function when the connection has ended by itself.
    typealias Opening = (Socket, PartingSockets, @escaping () -> Void) throws(Errno) -> any ServedConnection

    /// How long no connection is accepted after the host had no descriptor left.
    private static let breather: Duration = .milliseconds(50)

    private let loop: EventLoop
    private let listener: Socket
    private let parting: PartingSockets
    private let mostConnections: Int
    private let open: Opening
    private var connections: [Int32: any ServedConnection] = [:]
    private var isListening = false
    private var timer: EventLoop.Timer?

    init(at endpoint: Endpoint, mostConnections: Int, on loop: EventLoop, open: @escaping Opening) throws(Errno) {
        self.loop = loop
        self.mostConnections = mostConnections
        self.open = open
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
            while connections.count < mostConnections {
                guard let socket = try listener.accept() else { return }
                try serve(socket)
            }
            pause()
        } catch {
            // No descriptor or no memory: the queue stays as it is, and is looked at again a little later.
            pause()
            timer = loop.schedule(after: Self.breather) { [unowned self] in try? listen() }
        }
    }

    private func serve(_ socket: Socket) throws(Errno) {
        try socket.disableNagle()
        try socket.resetWhenClosed()
        let descriptor = socket.descriptor
        connections[descriptor] = try open(socket, parting) { [unowned self] in
            connections[descriptor] = nil
            if connections.count == mostConnections - 1 { try? listen() }
        }
    }
}

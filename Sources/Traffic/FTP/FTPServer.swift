internal import EventLoop
internal import SystemPackage
internal import Wire

/// An FTP server for any user, whose files have their length in bytes as their name.
///
/// Bounds: `mostConnections` control connections at the same time (more wait in the listen queue), one data connection
/// for each.
final class FTPServer {
    static let mostConnections = 4096
    /// How long no connection is accepted after the host had no descriptor left.
    private static let breather: Duration = .milliseconds(50)

    private let loop: EventLoop
    private let listener: Socket
    private let parting: PartingSockets
    private let nodeName: String
    private var connections: [Int32: FTPConnection] = [:]
    private var isListening = false
    private var timer: EventLoop.Timer?

    init(at endpoint: Endpoint, nodeName: String, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        self.nodeName = nodeName
        parting = PartingSockets(on: loop)
        listener = try Socket(.tcp, endpoint.address.family)
        try listener.acceptBothFamilies()
        try listener.allowAddressReuse()
        try listener.bind(endpoint)
        try listener.listen(backlog: 1024)
        try listen()
    }

    var endpoint: Endpoint? { listener.localEndpoint }

    /// Closes the listener and every connection.
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
                try socket.disableNagle()
                try socket.resetWhenClosed()
                let descriptor = socket.descriptor
                connections[descriptor] = try FTPConnection(socket, nodeName: nodeName, on: loop, parting: parting) {
                    [unowned self] in
                    connections[descriptor] = nil
                    if connections.count == Self.mostConnections - 1 { try? listen() }
                }
            }
            pause()
        } catch {
            // No descriptor or no memory: the queue stays as it is, and is looked at again a little later.
            pause()
            timer = loop.schedule(after: Self.breather) { [unowned self] in try? listen() }
        }
    }
}

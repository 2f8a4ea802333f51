internal import EventLoop

/// TCP connections that have said all and wait for the other side to agree.
///
/// A lab's sockets reset their connection when they are closed (see `Socket.resetWhenClosed`), so an orderly end keeps
/// them open: FIN first, and `close` only once the other side has sent its own. One whose peer never does stays until
/// the process ends, and is reset then.
final class PartingSockets {
    private let loop: EventLoop
    private var sockets: [Int32: Socket] = [:]

    init(on loop: EventLoop) { self.loop = loop }

    /// Takes the socket over; it is no longer watched by anyone.
    func part(with socket: Socket) {
        guard socket.descriptor >= 0 else { return }
        socket.shutDownSending()
        do {
            // Watched for nothing but what is always told: both sides have sent their FIN, or the connection broke.
            try loop.watch(socket.descriptor, for: []) { [self] _ in
                loop.unwatch(socket.descriptor)
                sockets[socket.descriptor] = nil
                // What the peer has not acknowledged yet, the kernel still repeats.
                socket.finishAfterClosing()
                socket.close()
            }
            sockets[socket.descriptor] = socket
        } catch {
            socket.close()
        }
    }
}

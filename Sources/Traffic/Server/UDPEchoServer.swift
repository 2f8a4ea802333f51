internal import EventLoop
internal import Glibc
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// Returns every datagram to its sender, from the address to which it was sent: a server with several addresses, such
/// as one with a virtual service's address on its loopback interface, answers with the one that was asked.
final class UDPEchoServer {
    /// Datagrams handled before other descriptors get their turn.
    private static let batch = 64

    private let loop: EventLoop
    private let socket: Socket
    private var messages: DatagramBuffers

    init(at endpoint: Endpoint, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        let family = endpoint.address.family
        messages = DatagramBuffers(family)
        socket = try Socket(.udp, family)
        try socket.acceptBothFamilies()
        try socket.reportLocalAddress()
        // Many clients ask faster for a moment than a busy machine answers.
        socket.growReceiveBuffer()
        try socket.bind(endpoint)
        try loop.watch(socket.descriptor) { [unowned self] _ in answer() }
    }

    var endpoint: Endpoint? { socket.localEndpoint }

    func close() {
        guard socket.descriptor >= 0 else { return }
        loop.unwatch(socket.descriptor)
        socket.close()
    }

    private func answer() {
        for _ in 0..<Self.batch {
            // A datagram whose answer the socket does not take is lost, as in any network.
            guard messages.receive(on: socket.descriptor) else { return }
            messages.sendBack(on: socket.descriptor)
        }
    }
}

import EventLoop
import Glibc
import Measurement
import TrafficModel
import Wire

@testable import Traffic

/// A UDP server whose answers are decided by the test, datagram by datagram.
final class PlayedServer {
    struct Request {
        let record: ProbeRecord
        fileprivate let bytes: [UInt8]
        let sender: Endpoint
    }

    private let socket: Socket
    private let loop: EventLoop
    private let onRequest: (PlayedServer, Request) -> Void
    private(set) var received = 0

    var port: UInt16 { socket.localEndpoint!.port }

    init(on loop: EventLoop, onRequest: @escaping (PlayedServer, Request) -> Void) throws {
        self.loop = loop
        self.onRequest = onRequest
        socket = try Socket(.udp, .ipv4)
        try socket.bind(Endpoint(address: .ipv4(.loopback), port: 0))
        try loop.watch(socket.descriptor) { [unowned self] _ in read() }
    }

    deinit { loop.unwatch(socket.descriptor) }

    /// - Parameter recipient: nil for who asked
    func answer(_ request: Request, to recipient: Endpoint? = nil) {
        _ = request.bytes.withUnsafeBytes { bytes in
            (recipient ?? request.sender).withSocketAddress {
                sendto(socket.descriptor, bytes.baseAddress, bytes.count, 0, $0, $1)
            }
        }
    }

    private func read() {
        var bytes = [UInt8](repeating: 0, count: 2048)
        while true {
            var sender = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &sender) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.descriptor, &bytes, bytes.count, 0, $0, &size)
                }
            }
            guard count >= 0 else { return }
            guard let record = bytes[..<count].withUnsafeBytes({ ProbeRecord(datagram: $0) }) else { continue }
            received += 1
            guard let sender = withUnsafeBytes(of: &sender, { Endpoint($0.baseAddress!) }) else { continue }
            onRequest(self, Request(record: record, bytes: Array(bytes[..<count]), sender: sender))
        }
    }
}

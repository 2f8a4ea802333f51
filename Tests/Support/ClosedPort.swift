public import Glibc

/// A loopback port on which nobody listens, and nobody can as long as this value lives: other tests of the process take
/// any port that is free.
public final class ClosedPort: Sendable {
    public let number: UInt16
    private let descriptor: Int32

    /// - Parameter type: `SOCK_STREAM` or `SOCK_DGRAM`
    public init(_ type: __socket_type = SOCK_STREAM) throws {
        descriptor = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard descriptor >= 0, isBound else { throw PortError(code: errno) }
        guard type == SOCK_DGRAM else { return }
        // A bound datagram socket takes from anybody; one that is connected takes from its peer alone, and to all
        // others the port is closed.
        var peer = address
        peer.sin_addr.s_addr = UInt32(0x7f00_0002).bigEndian
        peer.sin_port = UInt16(9).bigEndian
        let isConnected = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
        guard isConnected else { throw PortError(code: errno) }
    }

    deinit { close(descriptor) }

    private struct PortError: Error { var code: Int32 }
}

internal import Glibc
internal import NIOCore
internal import Wire

/// A TCP connection on its way, before SwiftNIO has it: SwiftNIO's own way to bind and connect costs more
/// system calls and a dozen futures.
enum ConnectingSocket {
    struct Failure: Error {
        var code: Int32

        /// The kernel has that source port in use.
        var isBusyPort: Bool { code == EADDRINUSE || code == EADDRNOTAVAIL }
    }

    /// - Returns: a descriptor that does not block and whose SYN is sent
    static func open(
        from source: SourceEndpoint, to address: IPAddress, port: UInt16
    ) throws(Failure) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isIPv4 ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        var one: Int32 = 1
        // A port whose last connection is over may be bound again at once; connecting tells whether it may be used.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        // The request follows at once and carries the acknowledgement of the SYN-ACK: a packet less. tcp(7), TCP_QUICKACK
        var off: Int32 = 0
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &off, socklen_t(MemoryLayout<Int32>.size))
        let isBound = source.address.withSocketAddress(port: source.port) { bind(descriptor, $0, $1) == 0 }
        if isBound {
            if address.withSocketAddress(port: port, { connect(descriptor, $0, $1) == 0 || errno == EINPROGRESS }) {
                return descriptor
            }
        }
        let code = errno
        close(descriptor)
        throw Failure(code: code)
    }

    /// Sends what the kernel takes at once.
    /// - Returns: bytes sent; none while the member has not accepted the connection
    /// - Throws: what has become of the connection, which the kernel tells only once
    static func send(_ head: ByteBuffer, on descriptor: Int32) throws(Failure) -> Int {
        let sent = head.withUnsafeReadableBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        guard errno == EAGAIN || errno == EINTR else { throw Failure(code: errno) }
        return 0
    }
}

internal import CLinux
internal import Glibc
internal import HTTPExchange
internal import Wire

/// A TCP connection on its way to a member.
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
        let descriptor = cl_tcp_socket(address.isIPv4 ? 0 : 1)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        // A port whose last connection is over may be bound again at once; connecting tells whether it may be used.
        cl_allow_address_reuse(descriptor)
        // Where the member accepts at once, the head carries the acknowledgement of its SYN-ACK: a packet less.
        cl_acknowledge_at_once(descriptor, 0)
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
    static func send(_ head: UnsafeRawBufferPointer, on descriptor: Int32) throws(Failure) -> Int {
        // No longer than for that: a member whose answer is acknowledged late sends its FIN twice.
        defer { cl_acknowledge_at_once(descriptor, 1) }
        let sent = Glibc.send(descriptor, head.baseAddress, head.count, Int32(MSG_NOSIGNAL))
        if sent >= 0 { return sent }
        guard errno == EAGAIN || errno == EINTR else { throw Failure(code: errno) }
        return 0
    }
}

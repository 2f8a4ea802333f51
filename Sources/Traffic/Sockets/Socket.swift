internal import Glibc
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// A non-blocking socket of either family; closed with its last reference at the latest.
final class Socket {
    enum Kind {
        case tcp
        case udp
        /// ICMP echo on a raw socket, which takes the right to open one.
        case echo
    }

    /// What a call on a non-blocking socket came to.
    enum Outcome: Equatable {
        /// Bytes sent or received.
        case bytes(Int)
        /// Not now: wait until the socket is ready again.
        case wouldBlock
        /// TCP: the peer has closed its direction.
        case endOfStream
        case failed(Errno)
    }

    /// -1 once closed.
    private(set) var descriptor: Int32
    let kind: Kind
    let family: IPVersion
    /// Of ICMP echo: in its messages in the place of a port.
    var identifier: UInt16 = 0

    init(_ kind: Kind, _ family: IPVersion) throws(Errno) {
        self.kind = kind
        self.family = family
        let (type, proto) =
            switch kind {
            case .tcp: (SOCK_STREAM, 0)
            case .udp: (SOCK_DGRAM, 0)
            case .echo: (SOCK_RAW, family == .ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
            }
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        descriptor = socket(family == .ipv4 ? AF_INET : AF_INET6, Int32(type.rawValue | flags), Int32(proto))
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    /// Takes over a descriptor that `accept` returned.
    private init(accepted: Int32, _ family: IPVersion) {
        kind = .tcp
        descriptor = accepted
        self.family = family
    }

    deinit { close() }

    func close() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    func set(_ option: Int32, of level: Int32, to value: Int32) throws(Errno) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    func bind(_ endpoint: Endpoint) throws(Errno) {
        let result = endpoint.withSocketAddress { Glibc.bind(descriptor, $0, $1) }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    func listen(backlog: Int32) throws(Errno) {
        guard Glibc.listen(descriptor, backlog) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Returns whether the connection is complete already (UDP always); otherwise the socket becomes writable.
    func connect(_ endpoint: Endpoint) throws(Errno) -> Bool {
        while true {
            let result = endpoint.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
            if result == 0 { return true }
            switch errno {
            case EINPROGRESS: return false
            case EINTR: continue
            case let code: throw Errno(rawValue: code)
            }
        }
    }

    /// The next connection that waits on a listening socket; nil if there is none.
    func accept() throws(Errno) -> Socket? {
        while true {
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted >= 0 {
                let socket = Socket(accepted: accepted, family)
                guard fcntl(accepted, F_SETFD, FD_CLOEXEC) == 0, fcntl(accepted, F_SETFL, O_NONBLOCK) == 0 else {
                    throw Errno(rawValue: errno)
                }
                return socket
            }
            switch errno {
            // A connection that its client gave up while it waited is no error of this socket: accept(2).
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return nil
            case let code: throw Errno(rawValue: code)
            }
        }
    }

    /// The error that a connection attempt, or an ICMP message, left on the socket; reading clears it.
    func takeError() -> Errno? {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return Errno(rawValue: errno) }
        return code == 0 ? nil : Errno(rawValue: code)
    }

    /// Whether the handshake is complete.
    var isConnected: Bool { peerEndpoint != nil }

    var localEndpoint: Endpoint? {
        guard let own = endpoint(getsockname) else { return nil }
        // The kernel has the protocol's number there.
        return kind == .echo ? Endpoint(address: own.address, port: identifier) : own
    }

    /// The other end; nil where the handshake is not complete.
    var peerEndpoint: Endpoint? { endpoint(getpeername) }

    private func endpoint(
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Endpoint? {
        withUnsafeTemporaryAllocation(byteCount: Endpoint.socketAddressSize, alignment: 8) { bytes in
            let base = bytes.baseAddress!
            var size = socklen_t(bytes.count)
            guard ask(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0 else { return nil }
            return Endpoint(UnsafeRawPointer(base))
        }
    }

    /// Takes IPv4 as well, where the socket is an IPv6 one that listens on all addresses: from ::ffff:a.b.c.d.
    func acceptBothFamilies() throws(Errno) {
        if family == .ipv6 { try set(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), to: 0) }
    }

    /// Room for datagrams that wait: 4 MiB, or what the kernel's limit allows without privilege over the machine.
    func growReceiveBuffer() {
        var bytes: Int32 = 4 << 20
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, 4) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        }
    }

    /// Has the kernel say with each datagram to which address it was sent (`DatagramBuffers`).
    func reportLocalAddress() throws(Errno) {
        switch family {
        case .ipv4: try set(IP_PKTINFO, of: Int32(IPPROTO_IP), to: 1)
        case .ipv6: try set(IPV6_RECVPKTINFO, of: Int32(IPPROTO_IPV6), to: 1)
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .wouldBlock
            case let code: return .failed(Errno(rawValue: code))
            }
        }
    }

    /// - Parameter isStream: whether no byte means that the peer has closed; an empty datagram means nothing.
    func receive(into buffer: UnsafeMutableRawBufferPointer, isStream: Bool) -> Outcome {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return isStream ? .endOfStream : .bytes(0) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(Errno(rawValue: code))
            }
        }
    }

    /// Ends the direction to the peer: TCP sends its FIN after what was sent before.
    func shutDownSending() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }
}

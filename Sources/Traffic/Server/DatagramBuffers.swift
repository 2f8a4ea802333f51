internal import Glibc
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// One datagram with its sender and the local address to which it was sent, received and sent back in place.
///
/// The control message is the one of IP_PKTINFO, ip(7), as recvmsg and sendmsg lay it out on 64-bit Linux:
///
///     0                 8            12          16               20          24         28       32
///     ┌─────────────────┬────────────┬───────────┬────────────────┬───────────┬──────────┬────────┐
///     │ length = 28     │ IPPROTO_IP │ IP_PKTINFO│ interface      │ local     │ header   │ pad    │
///     │                 │            │           │ index          │ address   │ address  │        │
///     └─────────────────┴────────────┴───────────┴────────────────┴───────────┴──────────┴────────┘
///
/// On an IPv6 socket, which may take IPv4 too, it is the one of IPV6_PKTINFO, ipv6(7):
///
///     0                 8              12              16                           32          36   40
///     ┌─────────────────┬──────────────┬───────────────┬────────────────────────────┬───────────┬────┐
///     │ length = 36     │ IPPROTO_IPV6 │ IPV6_PKTINFO  │ local address              │ interface │ pad│
///     └─────────────────┴──────────────┴───────────────┴────────────────────────────┴───────────┴────┘
///
/// By hand, because the CMSG macros are not visible to Swift.
struct DatagramBuffers: ~Copyable {
    private static let payloadSize = 65_536

    private let family: IPVersion
    private let controlSize: Int
    private let packetInfoLength: Int
    private let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: payloadSize, alignment: 16)
    private let control = UnsafeMutableRawBufferPointer.allocate(byteCount: 40, alignment: 8)
    private let sender = UnsafeMutableRawPointer.allocate(byteCount: Endpoint.socketAddressSize, alignment: 8)
    private let vector = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    private var count = 0
    private var hasPacketInfo = false

    init(_ family: IPVersion) {
        self.family = family
        controlSize = family == .ipv4 ? 32 : 40
        packetInfoLength = family == .ipv4 ? 28 : 36
        control.initializeMemory(as: UInt8.self, repeating: 0)
        sender.initializeMemory(as: UInt8.self, repeating: 0, count: Endpoint.socketAddressSize)
        vector.initialize(to: iovec())
    }

    deinit {
        payload.deallocate()
        control.deallocate()
        sender.deallocate()
        vector.deallocate()
    }

    /// Takes the next datagram; false if there is none. An error that ICMP left on the socket is none's business
    /// here, and is cleared by the call.
    mutating func receive(on descriptor: Int32) -> Bool {
        while true {
            var message = message(payloadLength: payload.count, controlLength: controlSize)
            count = recvmsg(descriptor, &message, 0)
            if count >= 0 {
                hasPacketInfo = message.msg_controllen >= packetInfoLength && isPacketInfo
                return true
            }
            if errno == EAGAIN { return false }
            if errno != EINTR, errno != ECONNREFUSED, errno != EHOSTUNREACH, errno != ENETUNREACH { return false }
        }
    }

    /// Sends the datagram back, by the route to its sender, from the address to which it was sent.
    mutating func sendBack(on descriptor: Int32) {
        if hasPacketInfo, family == .ipv6 {
            // The route chooses the interface, and the kernel the source where a group was asked.
            if control.load(fromByteOffset: 16, as: UInt8.self) == 0xff { hasPacketInfo = false }
            control.storeBytes(of: 0, toByteOffset: 32, as: UInt32.self)
        } else if hasPacketInfo {
            let asked = control.load(fromByteOffset: 24, as: UInt32.self)
            control.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
            // A multicast or broadcast address is no source: the kernel's own choice is already there.
            if UInt32(bigEndian: asked) >> 28 != 0xe, asked != 0xffff_ffff {
                control.storeBytes(of: asked, toByteOffset: 20, as: UInt32.self)
            }
        }
        var message = message(payloadLength: count, controlLength: hasPacketInfo ? controlSize : 0)
        while sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) < 0, errno == EINTR {}
    }

    // MARK: For a client

    /// The datagram that was received last.
    var received: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(payload)[..<max(0, count)])
    }

    var senderEndpoint: Endpoint? { Endpoint(UnsafeRawPointer(sender)) }

    /// The address to which it was sent; nil where the socket does not report it (`Socket.reportLocalAddress`).
    var localAddress: IPAddress? {
        guard hasPacketInfo else { return nil }
        let control = UnsafeRawPointer(control.baseAddress!)
        return family == .ipv4 ? .ipv4(control.readIPv4(at: 24)) : IPAddress(universal: control.readIPv6(at: 16))
    }

    /// Sends a datagram from one of the node's addresses.
    /// - Parameter source: of an IPv4 socket; nil for the one that the kernel chooses
    /// - Returns: why it did not leave; nil where it did
    mutating func send(
        _ bytes: [UInt8], from source: IPv4Address?, to target: Endpoint, on descriptor: Int32
    ) -> Errno? {
        precondition(bytes.count <= payload.count)
        payload.copyBytes(from: bytes)
        target.withSocketAddress { address, length in
            sender.copyMemory(from: address, byteCount: Int(length))
        }
        if let source {
            control.storeBytes(of: 28, toByteOffset: 0, as: Int.self)
            control.storeBytes(of: Int32(IPPROTO_IP), toByteOffset: 8, as: Int32.self)
            control.storeBytes(of: IP_PKTINFO, toByteOffset: 12, as: Int32.self)
            control.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
            control.baseAddress!.write(source, at: 20)
            control.baseAddress!.write(IPv4Address.any, at: 24)
        }
        var message = message(payloadLength: bytes.count, controlLength: source == nil ? 0 : controlSize)
        while sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) < 0 {
            if errno != EINTR { return Errno(rawValue: errno) }
        }
        return nil
    }

    private var isPacketInfo: Bool {
        let (level, type) = (
            control.load(fromByteOffset: 8, as: Int32.self), control.load(fromByteOffset: 12, as: Int32.self)
        )
        return family == .ipv4
            ? level == Int32(IPPROTO_IP) && type == IP_PKTINFO
            : level == Int32(IPPROTO_IPV6) && type == IPV6_PKTINFO
    }

    private func message(payloadLength: Int, controlLength: Int) -> msghdr {
        vector.pointee = iovec(iov_base: payload.baseAddress, iov_len: payloadLength)
        var message = msghdr()
        message.msg_name = sender
        message.msg_namelen = socklen_t(
            family == .ipv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = controlLength == 0 ? nil : control.baseAddress
        message.msg_controllen = controlLength
        return message
    }
}

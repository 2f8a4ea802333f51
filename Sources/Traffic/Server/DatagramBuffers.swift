internal import Glibc

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
/// By hand, because the CMSG macros are not visible to Swift.
struct DatagramBuffers: ~Copyable {
    private static let payloadSize = 65_536
    private static let controlSize = 32
    private static let packetInfoLength = 28

    private let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: payloadSize, alignment: 16)
    private let control = UnsafeMutableRawBufferPointer.allocate(byteCount: controlSize, alignment: 8)
    private let sender = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: 1)
    private let vector = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    private var count = 0
    private var hasPacketInfo = false

    init() {
        control.initializeMemory(as: UInt8.self, repeating: 0)
        sender.initialize(to: sockaddr_in())
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
            var message = message(payloadLength: payload.count, controlLength: Self.controlSize)
            count = recvmsg(descriptor, &message, 0)
            if count >= 0 {
                hasPacketInfo = message.msg_controllen >= Self.packetInfoLength && isPacketInfo
                return true
            }
            if errno == EAGAIN { return false }
            if errno != EINTR, errno != ECONNREFUSED, errno != EHOSTUNREACH, errno != ENETUNREACH { return false }
        }
    }

    /// Sends the datagram back, by the route to its sender, from the address to which it was sent.
    mutating func sendBack(on descriptor: Int32) {
        if hasPacketInfo {
            let asked = control.load(fromByteOffset: 24, as: UInt32.self)
            control.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
            // A multicast or broadcast address is no source: the kernel's own choice is already there.
            if UInt32(bigEndian: asked) >> 28 != 0xe, asked != 0xffff_ffff {
                control.storeBytes(of: asked, toByteOffset: 20, as: UInt32.self)
            }
        }
        var message = message(payloadLength: count, controlLength: hasPacketInfo ? Self.controlSize : 0)
        while sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) < 0, errno == EINTR {}
    }

    private var isPacketInfo: Bool {
        control.load(fromByteOffset: 8, as: Int32.self) == Int32(IPPROTO_IP)
            && control.load(fromByteOffset: 12, as: Int32.self) == IP_PKTINFO
    }

    private func message(payloadLength: Int, controlLength: Int) -> msghdr {
        vector.pointee = iovec(iov_base: payload.baseAddress, iov_len: payloadLength)
        var message = msghdr()
        message.msg_name = UnsafeMutableRawPointer(sender)
        message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = controlLength == 0 ? nil : control.baseAddress
        message.msg_controllen = controlLength
        return message
    }
}

internal import Glibc
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// ICMP echo messages on a raw socket. Source: RFC 792, RFC 4443, 4.1 and 4.2; raw(7), ipv6(7)
extension Socket {
    /// Has the kernel keep back every ICMP message but echo replies.
    /// - Parameter identifier: of the flow's requests; replies with another are not its own
    func takeEchoReplies(to identifier: UInt16) throws(Errno) {
        self.identifier = identifier
        switch family {
        case .ipv4:
            // ICMP_FILTER of SOL_RAW: a bit that is set keeps the type back. Source: include/uapi/linux/icmp.h
            try set(1, of: 255, to: ~(1 << Int32(ICMPv4Type.echoReply.rawValue)))
        case .ipv6:
            // ICMPV6_FILTER: likewise, in 256 bits. Source: include/uapi/linux/icmpv6.h
            var types = [UInt32](repeating: .max, count: 8)
            types[Int(ICMPv6Type.echoReply.rawValue) / 32] &= ~(1 << UInt32(ICMPv6Type.echoReply.rawValue % 32))
            let result = types.withUnsafeBytes {
                setsockopt(descriptor, Int32(IPPROTO_ICMPV6), 1, $0.baseAddress, socklen_t($0.count))
            }
            guard result == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// Sends an echo request with this data.
    func sendEcho(_ data: UnsafeRawBufferPointer, sequence: UInt16) -> Outcome {
        withUnsafeTemporaryAllocation(byteCount: ICMPv4Header.length + data.count, alignment: 8) { message in
            UnsafeMutableRawBufferPointer(rebasing: message[ICMPv4Header.length...]).copyMemory(from: data)
            var header = ICMPv4Header.echoRequest(identifier: identifier, sequence: sequence)
            // Of IPv6 the kernel computes the checksum, over whatever stands in its place: RFC 3542, 3.1.
            if family == .ipv6 { header.type = ICMPv4Type(rawValue: ICMPv6Type.echoRequest.rawValue) }
            guard header.emit(into: message, payloadLength: data.count) != nil else { return .failed(.messageTooLong) }
            return send(UnsafeRawBufferPointer(message))
        }
    }

    /// The data of an echo reply to this socket; nil of any other packet.
    /// - Parameter packet: of IPv4 with its header, of IPv6 without
    func echoData(_ packet: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var message = packet
        if family == .ipv4 {
            guard let first = packet.first, packet.count >= Int(first & 0xf) * 4 else { return nil }
            message = UnsafeRawBufferPointer(rebasing: packet[(Int(first & 0xf) * 4)...])
        }
        let reply = family == .ipv4 ? ICMPv4Type.echoReply.rawValue : ICMPv6Type.echoReply.rawValue
        guard message.count >= ICMPv4Header.length, message[0] == reply,
            UInt16(message[4]) << 8 | UInt16(message[5]) == identifier
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: message[ICMPv4Header.length...])
    }
}

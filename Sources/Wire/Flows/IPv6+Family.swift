/// The Internet Protocol, version 6.
public enum IPv6: AddressFamily {
    public typealias Address = IPv6Address
    public typealias Pair = IPv6AddressPair
    public typealias Identification = UInt32

    @inlinable public static var version: IPVersion { .ipv6 }
    @inlinable public static var controlProtocol: IPProtocol { .icmpv6 }
    /// Unreachable, packet too big, time exceeded, parameter problem. Source: RFC 4443, 2.1
    @inlinable public static func controlKind(type: UInt8) -> ControlKind {
        switch type {
        case 1...4: .error
        case 128: .query
        case 129: .answer
        default: .other
        }
    }
    @inlinable public static func quotesPacket(type: UInt8) -> Bool { ICMPv6Type(rawValue: type).isError }
    @inlinable public static func quoted(_ quote: UnsafeRawBufferPointer) -> IPv6QuotedPacket? {
        try? IPv6QuotedPacket(quote)
    }
    public static func reportedMTU(in error: IPv6PacketView) -> Int? {
        guard let icmp = error.icmp, icmp.type == .packetTooBig else { return nil }
        return Int(icmp.rest)
    }
    @inlinable public static var etherType: EtherType { .ipv6 }
    @inlinable public static func parsePacket(
        _ base: UnsafeRawPointer, from start: Int, to end: Int
    ) -> IPv6FrameLayout.Parsed { IPv6FrameLayout.parsePacket(base, from: start, to: end) }
    @inlinable public static func packet(in frame: UnsafeMutableRawBufferPointer) -> IPv6PacketView? {
        IPv6PacketView(frame)
    }
    @inlinable public static var addressOffset: Int { 8 }
    @inlinable public static var timeToLiveOffset: Int { 7 }
    @inlinable public static var headerLength: Int { 40 }
    @inlinable public static var hasHeaderChecksum: Bool { false }
    @inlinable public static var controlHasPseudoHeader: Bool { true }

    @inlinable
    public static func addPseudoHeader(
        to checksum: inout Checksum, source: IPv6Address, destination: IPv6Address, protocol: IPProtocol, length: Int
    ) {
        checksum.addPseudoHeader(source: source, destination: destination, protocol: `protocol`, length: length)
    }

    /// Of a packet without fragment header: a whole datagram's.
    @inlinable public static func fragment(_ packet: IPv6PacketView) -> FragmentPlace<IPv6> {
        guard let header = packet.fragmentHeader else {
            return FragmentPlace(identification: 0, offset: 0, isLast: true)
        }
        // Guard: `fragmentHeader` is the place of eight bytes. Source: RFC 8200, 4.5
        let field = header.readUInt16(at: 2)
        return FragmentPlace(
            identification: header.readUInt32(at: 4), offset: Int(field & ~7), isLast: field & 1 == 0)
    }

    @inlinable
    public static func rewriteIdentification(_ packet: IPv6PacketView, to identification: UInt32) {
        guard let header = packet.fragmentHeader else { return }
        // No checksum covers it.
        UnsafeMutableRawPointer(mutating: header).write(identification, at: 4)
    }

    public static func mayBeAnswered(_ packet: IPv6PacketView, with problem: DeliveryProblem) -> Bool {
        packet.mayBeAnsweredWithError(controlHeader(problem).type)
    }

    private static func controlHeader(_ problem: DeliveryProblem) -> ICMPv6Header {
        switch problem {
        case .noRoute: ICMPv6Header(type: .unreachable, code: ICMPv6UnreachableCode.noRoute)
        case .hostUnreachable: ICMPv6Header(type: .unreachable, code: ICMPv6UnreachableCode.address)
        case .portUnreachable: ICMPv6Header(type: .unreachable, code: ICMPv6UnreachableCode.port)
        case .prohibited: ICMPv6Header(type: .unreachable, code: ICMPv6UnreachableCode.prohibited)
        case .timeExceeded: ICMPv6Header(type: .timeExceeded)
        case .packetTooBig(let mtu): ICMPv6Header(type: .packetTooBig, rest: UInt32(clamping: mtu))
        }
    }

    public static func errorFrame(
        _ problem: DeliveryProblem, about packet: IPv6PacketView, from source: IPv6Address, mac: MACAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        FrameBuilder.icmpv6Error(controlHeader(problem), about: packet, from: source, mac: mac, into: buffer)
    }

    public static func errorFrame(
        _ problem: DeliveryProblem, quoting quote: UnsafeRawBufferPointer, to destination: IPv6Address,
        from source: IPv6Address, mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // As much of the quote as leaves the error within 1280 bytes. Source: RFC 4443, 2.4 (c)
        let most = 1280 - IPv6Header.length - ICMPv6Header.length
        return FrameBuilder.icmp(
            controlHeader(problem), in: IPv6Header(source: source, destination: destination, nextHeader: .icmpv6),
            from: mac, to: .zero, body: UnsafeRawBufferPointer(rebasing: quote.prefix(most)), into: buffer)
    }
}

/// The Internet Protocol, version 4.
public enum IPv4: AddressFamily {
    public typealias Address = IPv4Address
    public typealias Pair = IPv4AddressPair
    public typealias Identification = UInt16

    @inlinable public static var version: IPVersion { .ipv4 }
    @inlinable public static var controlProtocol: IPProtocol { .icmp }
    /// Unreachable, time exceeded, parameter problem; no redirect, which a translator would make wrong.
    /// Source: RFC 5508, 3 and 4
    @inlinable public static func controlKind(type: UInt8) -> ControlKind {
        switch ICMPv4Type(rawValue: type) {
        case .echoRequest, .timestampRequest: .query
        case .echoReply, .timestampReply: .answer
        case .unreachable, .timeExceeded, .parameterProblem: .error
        default: .other
        }
    }
    @inlinable public static func quotesPacket(type: UInt8) -> Bool { ICMPv4Type(rawValue: type).isError }
    @inlinable public static func quoted(_ quote: UnsafeRawBufferPointer) -> QuotedPacket? { try? QuotedPacket(quote) }
    public static func reportedMTU(in error: PacketView) -> Int? {
        guard let icmp = error.icmp, icmp.type == .unreachable,
            icmp.code == ICMPv4UnreachableCode.fragmentationNeeded
        else { return nil }
        return Int(icmp.nextHopMTU)
    }
    @inlinable public static var etherType: EtherType { .ipv4 }
    @inlinable public static func parsePacket(
        _ base: UnsafeRawPointer, from start: Int, to end: Int
    ) -> FrameLayout.Parsed { FrameLayout.parsePacket(base, from: start, to: end) }
    @inlinable public static func packet(in frame: UnsafeMutableRawBufferPointer) -> PacketView? { PacketView(frame) }
    @inlinable public static var addressOffset: Int { 12 }
    @inlinable public static var timeToLiveOffset: Int { 8 }
    @inlinable public static var headerLength: Int { 20 }
    @inlinable public static var hasHeaderChecksum: Bool { true }
    @inlinable public static var controlHasPseudoHeader: Bool { false }

    @inlinable
    public static func addPseudoHeader(
        to checksum: inout Checksum, source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, length: Int
    ) {
        checksum.addPseudoHeader(source: source, destination: destination, protocol: `protocol`, length: length)
    }

    @inlinable public static func fragment(_ packet: PacketView) -> FragmentPlace<IPv4> {
        FragmentPlace(
            identification: packet.identification, offset: packet.fragmentOffset, isLast: !packet.hasMoreFragments)
    }

    @inlinable
    public static func rewriteIdentification(_ packet: PacketView, to identification: UInt16) {
        packet.rewriteIdentification(identification)
    }

    public static func mayBeAnswered(_ packet: PacketView, with problem: DeliveryProblem) -> Bool {
        packet.mayBeAnsweredWithError
    }

    public static func errorFrame(
        _ problem: DeliveryProblem, about packet: PacketView, from source: IPv4Address, mac: MACAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard packet.mayBeAnsweredWithError else { return nil }
        return FrameBuilder.icmpError(controlHeader(problem), about: packet, from: source, mac: mac, into: buffer)
    }

    public static func errorFrame(
        _ problem: DeliveryProblem, quoting quote: UnsafeRawBufferPointer, to destination: IPv4Address,
        from source: IPv4Address, mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        // As much of the quote as leaves the error within 576 bytes. Source: RFC 1812, 4.3.2.3
        let most = 576 - IPv4Header.minimumLength - ICMPv4Header.length
        return FrameBuilder.icmp(
            controlHeader(problem),
            in: IPv4Header(source: source, destination: destination, protocol: .icmp, dontFragment: false), from: mac,
            to: .zero, payload: UnsafeRawBufferPointer(rebasing: quote.prefix(most)), into: buffer)
    }

    private static func controlHeader(_ problem: DeliveryProblem) -> ICMPv4Header {
        switch problem {
        case .noRoute: .unreachable(code: ICMPv4UnreachableCode.network)
        case .hostUnreachable: .unreachable(code: ICMPv4UnreachableCode.host)
        case .portUnreachable: .unreachable(code: ICMPv4UnreachableCode.port)
        case .prohibited: .unreachable(code: ICMPv4UnreachableCode.administrativelyProhibited)
        case .timeExceeded: .timeExceeded
        case .packetTooBig(let mtu): .fragmentationNeeded(mtu: UInt16(clamping: mtu))
        }
    }
}

/// One direction of an IPv6 flow; as `FiveTuple` is of an IPv4 one, in five words.
///
/// For ICMPv6 echo both ports are the identifier; for every other protocol without ports they are zero.
@frozen
public struct IPv6FiveTuple: Sendable, BitwiseCopyable {
    public var source: IPv6Address
    public var destination: IPv6Address
    /// zero 24 | protocol 8 | source port 16 | destination port 16
    public var portsAndProtocol: UInt64

    @inlinable
    public init(source: IPv6Address, destination: IPv6Address, portsAndProtocol: UInt64) {
        self.source = source
        self.destination = destination
        self.portsAndProtocol = portsAndProtocol
    }

    @inlinable
    public init(
        source: IPv6Address, destination: IPv6Address, sourcePort: UInt16, destinationPort: UInt16, protocol: IPProtocol
    ) {
        self.init(
            source: source, destination: destination,
            portsAndProtocol: UInt64(`protocol`.rawValue) << 32 | UInt64(sourcePort) << 16 | UInt64(destinationPort))
    }
}

extension IPv6FiveTuple: FlowTuple {
    @inlinable public var reversed: IPv6FiveTuple {
        IPv6FiveTuple(source: destination, destination: source, portsAndProtocol: reversedPorts)
    }

    @inlinable public var mixedHash: UInt64 { keyedHash(seed: 0) }

    /// Three folded 64 × 64 → 128 bit multiplications, each over a sum of two words that the seed and the
    /// multiplication before have scattered. See `FiveTuple.mixedHash`.
    @inlinable
    public func keyedHash(seed: UInt64) -> UInt64 {
        // Digits of √2, √3, √5 and √7, odd.
        let first = (source.high ^ seed ^ 0x6a09_e667_f3bc_c909).multipliedFullWidth(
            by: source.low ^ 0xbb67_ae85_84ca_a73b)
        let second = (destination.high ^ seed ^ 0x3c6e_f372_fe94_f82b)
            .multipliedFullWidth(by: destination.low ^ 0xa54f_f53a_5f1d_36f1)
        // Sum and difference, because an exclusive or would be the same for both directions of a host with itself.
        let mixed = (first.high ^ first.low) &+ ((second.high ^ second.low) &* 3) ^ portsAndProtocol
        let third = (mixed ^ 0xbb67_ae85_84ca_a73b).multipliedFullWidth(by: 0x6a09_e667_f3bc_c909)
        return third.high ^ third.low
    }

    @inlinable public static func == (a: IPv6FiveTuple, b: IPv6FiveTuple) -> Bool {
        (a.source.high ^ b.source.high) | (a.source.low ^ b.source.low) | (a.destination.high ^ b.destination.high)
            | (a.destination.low ^ b.destination.low) | (a.portsAndProtocol ^ b.portsAndProtocol) == 0
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(mixedHash) }

    @inlinable public static var controlProtocol: IPProtocol { .icmpv6 }
    @inlinable public static func isControlQuery(type: UInt8) -> Bool { ICMPv6Type(rawValue: type).isQuery }
    /// Unreachable, packet too big, time exceeded, parameter problem. Source: RFC 4443, 2.1
    @inlinable public static func isControlError(type: UInt8) -> Bool { type >= 1 && type <= 4 }
    @inlinable public static func quoted(_ quote: UnsafeRawBufferPointer) -> IPQuotedPacket<IPv6FiveTuple>? {
        try? IPQuotedPacket<IPv6FiveTuple>(quote)
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
    @inlinable public static var timeToLiveOffset: Int { 7 }
    @inlinable public static var headerLength: Int { 40 }
    @inlinable public static var controlHasPseudoHeader: Bool { true }

    @inlinable
    public static func addPseudoHeader(
        to checksum: inout Checksum, source: IPv6Address, destination: IPv6Address, protocol: IPProtocol, length: Int
    ) {
        checksum.addPseudoHeader(source: source, destination: destination, protocol: `protocol`, length: length)
    }

    @inlinable
    public static func addressChange(from old: IPv6FiveTuple, to new: IPv6FiveTuple) -> ChecksumChange {
        var change = ChecksumChange()
        change.replace(old.source.high, with: new.source.high)
        change.replace(old.source.low, with: new.source.low)
        change.replace(old.destination.high, with: new.destination.high)
        change.replace(old.destination.low, with: new.destination.low)
        return change
    }

    @inlinable
    public func writeAddresses(into header: UnsafeMutableRawPointer) {
        header.write(source, at: 8)
        header.write(destination, at: 24)
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

extension IPv6FiveTuple: CustomStringConvertible {
    /// `tcp [2001:db8::10]:40000 > [2001:db8:1::100]:80`
    public var description: String { "\(`protocol`) [\(source)]:\(sourcePort) > [\(destination)]:\(destinationPort)" }
}

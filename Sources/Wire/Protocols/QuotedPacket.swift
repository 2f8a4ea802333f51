/// The IPv4 packet that an ICMP error is about.
public typealias QuotedPacket = IPQuotedPacket<IPv4>
/// The IPv6 packet that an ICMPv6 error is about.
public typealias IPv6QuotedPacket = IPQuotedPacket<IPv6>

/// The packet that an ICMP or ICMPv6 error is about, as far as the error quotes it.
///
/// A quote is cut off: its total length and its transport checksum are of no use, its header checksum may have been
/// changed on the way. Only the header and the first eight bytes behind it are sure to be there.
/// Source: RFC 792; RFC 1812, 4.3.2.3; RFC 5508, 4; RFC 4443, 2.4
@frozen
public struct IPQuotedPacket<Family: AddressFamily>: Hashable, Sendable {
    /// As the sender of the error saw it: reverse it to find the session of the error's receiver.
    public var fiveTuple: FlowKey<Family>
    /// Bytes from the quote's start to the quoted transport header.
    public var transportOffset: Int
    /// Whether ports (or an ICMP query's identifier) were among the quoted bytes.
    public var hasPorts: Bool

    @usableFromInline
    init(fiveTuple: FlowKey<Family>, transportOffset: Int, hasPorts: Bool) {
        self.fiveTuple = fiveTuple
        self.transportOffset = transportOffset
        self.hasPorts = hasPorts
    }

    /// Reads the ports of a quote that has `headerLength` + 8 bytes.
    @inlinable
    mutating func readPorts(_ base: UnsafeRawPointer) {
        // Guard: 8 bytes behind the header.
        switch fiveTuple.protocol {
        case .tcp, .udp:
            fiveTuple.portsAndProtocol |= UInt64(base.readUInt32(at: transportOffset))
            hasPorts = true
        case Family.controlProtocol:
            guard Family.isControlQuery(type: base.readUInt8(at: transportOffset)) else { return }
            let identifier = UInt64(base.readUInt16(at: transportOffset &+ 4))
            fiveTuple.portsAndProtocol |= identifier << 16 | identifier
            hasPorts = true
        default:
            return
        }
    }
}

extension IPQuotedPacket where Family == IPv4 {
    /// - Parameter quote: what follows the eight bytes of the ICMP header
    /// - Throws: `truncated`, `wrongVersion`, `wrongHeaderLength`
    @inlinable
    public init(_ quote: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = quote.baseAddress, quote.count >= IPv4Header.minimumLength else {
            throw WireError(.ipv4, .truncated, found: quote.count, expected: IPv4Header.minimumLength)
        }
        // Guard: 20 bytes.
        let first = base.readUInt8(at: 0)
        guard first >> 4 == 4 else { throw WireError(.ipv4, .wrongVersion, found: Int(first >> 4), expected: 4) }
        let headerLength = Int(first & 0x0f) &* 4
        guard headerLength >= IPv4Header.minimumLength, headerLength <= quote.count else {
            throw WireError(.ipv4, .wrongHeaderLength, found: headerLength, expected: min(60, quote.count))
        }
        self.init(
            fiveTuple: FiveTuple(
                source: base.readIPv4(at: 12), destination: base.readIPv4(at: 16), sourcePort: 0, destinationPort: 0,
                protocol: IPProtocol(rawValue: base.readUInt8(at: 9))),
            transportOffset: headerLength, hasPorts: false)
        let isFirstFragment = base.readUInt16(at: 6) & 0x1fff == 0
        if isFirstFragment, quote.count &- headerLength >= 8 { readPorts(base) }
    }
}

extension IPQuotedPacket where Family == IPv6 {
    /// - Parameter quote: what follows the eight bytes of the ICMPv6 header; its payload length is not looked at
    /// - Throws: `truncated`, `wrongVersion`, `wrongHeaderLength`, `tooManyHeaders`
    @inlinable
    public init(_ quote: UnsafeRawBufferPointer) throws(WireError) {
        let view = try IPv6View(quote: quote)
        self.init(
            fiveTuple: IPv6FiveTuple(
                source: view.source, destination: view.destination, sourcePort: 0, destinationPort: 0,
                protocol: view.protocol),
            transportOffset: view.transportOffset, hasPorts: false)
        guard view.fragment != .later, quote.count &- transportOffset >= 8, let base = quote.baseAddress else { return }
        readPorts(base)
    }
}

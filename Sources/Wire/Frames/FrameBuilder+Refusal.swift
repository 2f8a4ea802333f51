import Mutants

extension PacketView {
    /// Whether a router may answer this packet with an ICMP error: not about an error, not about a later fragment,
    /// not to or about a group, not to nobody. Source: RFC 1122, 3.2.2; RFC 1812, 4.3.2.7
    public var mayBeAnsweredWithError: Bool {
        if layout.fragment == .later || destinationMAC.isMulticast { return false }
        if destination.isMulticast || destination.isBroadcast { return false }
        if source.isUnspecified || source.isMulticast || source.isBroadcast || source.isLoopback { return false }
        guard ipProtocol == .icmp else { return true }
        // A type that nobody knows might be an error.
        return icmp.map { $0.type.isQuery } ?? false
    }
}

/// How much of a packet an ICMP error quotes.
@frozen
public enum ICMPQuote: Sendable {
    /// The header and eight bytes. Source: RFC 792
    case minimal
    /// As much as fits into 576 bytes. Source: RFC 1812, 4.3.2.3
    case generous

    /// Bytes of the longest quote of a packet whose header has `headerLength`.
    func limit(headerLength: Int) -> Int {
        switch self {
        case .minimal: Mutant.isOn(.quotesTooLittle) ? headerLength : headerLength + 8
        case .generous: 576 - IPv4Header.minimumLength - ICMPv4Header.length
        }
    }
}

extension FrameBuilder {
    /// An ICMP error to the sender of a packet, back to the station that handed it over.
    /// - Parameters:
    ///   - packet: asked with `mayBeAnsweredWithError`; must not lie in `buffer`
    ///   - source: the address that the error comes from
    ///   - mac: the port that the packet came in by
    public static func icmpError(
        _ error: ICMPv4Header, about packet: PacketView, quote: ICMPQuote = .generous, from source: IPv4Address,
        mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let headerLength = Int(packet.layout.transportOffset - packet.layout.networkOffset)
        let quoted = packet.packet.prefix(quote.limit(headerLength: headerLength))
        let header = IPv4Header(
            source: source, destination: packet.source, protocol: .icmp, dontFragment: false)
        return icmp(
            error, in: header, from: mac, to: packet.sourceMAC, payload: UnsafeRawBufferPointer(rebasing: quoted),
            into: buffer)
    }

    /// The reset that refuses a TCP segment, as its destination would send it.
    /// - Returns: nil where the packet is not TCP or is a reset itself, which is never answered
    ///
    /// Source: RFC 9293, 3.10.7.1
    public static func tcpReset(
        refusing packet: PacketView, mac: MACAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let segment = packet.tcp, !segment.flags.contains(.rst), !packet.layout.isFragment else { return nil }
        let occupied =
            UInt32(truncatingIfNeeded: packet.layout.payloadLength)
            &+ (segment.flags.contains(.syn) ? 1 : 0) &+ (segment.flags.contains(.fin) ? 1 : 0)
        let isAcknowledging = segment.flags.contains(.ack)
        let reset = TCPHeader(
            sourcePort: segment.destinationPort, destinationPort: segment.sourcePort,
            sequence: isAcknowledging ? segment.acknowledgement : 0,
            acknowledgement: isAcknowledging ? 0 : segment.sequence &+ occupied,
            flags: isAcknowledging ? .rst : [.rst, .ack], window: 0)
        let header = IPv4Header(source: packet.destination, destination: packet.source, protocol: .tcp)
        return tcp(reset, in: header, from: mac, to: packet.sourceMAC, into: buffer)
    }
}

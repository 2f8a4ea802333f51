/// An IPv4 packet in an Ethernet frame.
public typealias PacketView = IPPacketView<IPv4>
/// An IPv6 packet in an Ethernet frame.
public typealias IPv6PacketView = IPPacketView<IPv6>

/// An IP packet in an Ethernet frame that was parsed once: reading and rewriting it cannot fail.
///
/// A plain value, not a lifetime-bound view, because it travels together with a `Frame`, whose owner (a receive ring
/// or a queue's arena) states how long the bytes stay. Only `ParsedFrame` makes one, so that every offset was checked.
@frozen
public struct IPPacketView<Family: AddressFamily> {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline var storedLayout: IPLayout<Family>

    @inlinable
    init(uncheckedBase base: UnsafeMutableRawPointer, layout: IPLayout<Family>) {
        self.base = base
        storedLayout = layout
    }

    /// Offsets and flow; kept current by the rewriting members.
    @inlinable public var layout: IPLayout<Family> { storedLayout }

    @inlinable var bytes: UnsafeRawPointer { UnsafeRawPointer(base) }
    @inlinable var network: Int { Int(storedLayout.networkOffset) }
    @inlinable var transport: Int { Int(storedLayout.transportOffset) }
}

extension IPPacketView where Family == IPv4 {
    /// - Returns: nil where the frame is not a well-formed IPv4 packet; `ParsedFrame` says why
    @inlinable
    public init?(_ frame: UnsafeMutableRawBufferPointer) {
        guard case .ipv4(let packet) = ParsedFrame(frame) else { return nil }
        self = packet
    }
}

extension IPPacketView where Family == IPv6 {
    /// - Returns: nil where the frame is not a well-formed IPv6 packet; `ParsedFrame` says why
    @inlinable
    public init?(_ frame: UnsafeMutableRawBufferPointer) {
        guard case .ipv6(let packet) = ParsedFrame(frame) else { return nil }
        self = packet
    }
}

// Every read and write below lies in the Ethernet header, in the IP header, or behind a test of
// `hasTransportHeader` in the transport header: all three were found complete by the parse.

extension IPPacketView {
    @inlinable public var fiveTuple: FlowKey<Family> { storedLayout.fiveTuple }
    @inlinable public var ipProtocol: IPProtocol { storedLayout.fiveTuple.protocol }
    @inlinable public var source: Family.Address { storedLayout.fiveTuple.source }
    @inlinable public var destination: Family.Address { storedLayout.fiveTuple.destination }
    @inlinable public var sourcePort: UInt16 { storedLayout.fiveTuple.sourcePort }
    @inlinable public var destinationPort: UInt16 { storedLayout.fiveTuple.destinationPort }
    /// Empty where the packet is not TCP.
    @inlinable public var tcpFlags: TCPFlags { storedLayout.tcpFlags }

    /// The hop limit of IPv6.
    @inlinable public var timeToLive: UInt8 { bytes.readUInt8(at: network &+ Family.timeToLiveOffset) }
    /// Whether there are options, or extension headers of IPv6.
    @inlinable public var hasOptions: Bool {
        storedLayout.transportOffset &- storedLayout.networkOffset > Int32(truncatingIfNeeded: Family.headerLength)
    }

    /// Bytes that the Ethernet frame needs: without padding behind the packet.
    @inlinable public var frameLength: Int { Int(storedLayout.endOffset) }

    /// The IP packet, header included.
    @inlinable public var packet: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + network, count: storedLayout.packetLength)
    }

    /// What the IP header is followed by.
    @inlinable public var segment: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: bytes + transport, count: Int(storedLayout.endOffset &- storedLayout.transportOffset))
    }

    /// What the transport header is followed by.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + Int(storedLayout.payloadOffset), count: storedLayout.payloadLength)
    }

    /// The TCP header with its options; nil where there is none. An option that runs over the header's end, and what
    /// follows it, counts as absent.
    @inlinable public var tcp: TCPHeader? {
        guard storedLayout.hasTransportHeader, ipProtocol == .tcp else { return nil }
        let headerLength = Int(storedLayout.payloadOffset &- storedLayout.transportOffset)
        return TCPHeader(uncheckedBase: bytes + transport, headerLength: headerLength)
    }

    /// The type of an ICMP or ICMPv6 message; nil where there is none.
    @inlinable public var controlType: UInt8? {
        guard storedLayout.hasTransportHeader, ipProtocol == Family.controlProtocol else { return nil }
        return bytes.readUInt8(at: transport)
    }

    /// Makes the checksum of an ICMP or ICMPv6 message anew, after its body was changed.
    /// - Complexity: O(length of the packet)
    @inlinable public func updateControlChecksum() {
        guard controlType != nil else { return }
        base.write(UInt16(0), at: transport &+ 2)
        var checksum = Checksum()
        if Family.controlHasPseudoHeader {
            Family.addPseudoHeader(
                to: &checksum, source: source, destination: destination, protocol: ipProtocol, length: segment.count)
        }
        checksum.add(segment)
        base.write(checksum.value, at: transport &+ 2)
    }

    /// Whether the checksum of TCP, UDP or ICMP is right; true where the packet has none to look at (a fragment,
    /// another protocol, UDP without checksum over IPv4).
    /// - Complexity: O(length of the packet)
    @inlinable public var isTransportChecksumValid: Bool {
        guard storedLayout.hasTransportHeader, storedLayout.fragment == .whole else { return true }
        let segment = segment
        var checksum = Checksum()
        switch ipProtocol {
        case .udp:
            // Guard: the parse found 8 ≤ datagram length ≤ segment length.
            if bytes.readUInt16(at: transport &+ 6) == 0 { return Family.hasHeaderChecksum }
            let length = Int(bytes.readUInt16(at: transport &+ 4))
            Family.addPseudoHeader(
                to: &checksum, source: source, destination: destination, protocol: .udp, length: length)
            checksum.add(bytes + transport, count: length)
        case .tcp:
            Family.addPseudoHeader(
                to: &checksum, source: source, destination: destination, protocol: .tcp, length: segment.count)
            checksum.add(segment)
        default:
            if Family.controlHasPseudoHeader {
                Family.addPseudoHeader(
                    to: &checksum, source: source, destination: destination, protocol: ipProtocol,
                    length: segment.count)
            }
            checksum.add(segment)
        }
        return checksum.value == 0
    }
}

extension IPPacketView where Family == IPv4 {
    @inlinable public var identification: UInt16 { bytes.readUInt16(at: network &+ 4) }
    @inlinable public var dontFragment: Bool { bytes.readUInt8(at: network &+ 6) & 0x40 != 0 }
    /// Whether this is a fragment and not the last one.
    @inlinable public var hasMoreFragments: Bool { bytes.readUInt8(at: network &+ 6) & 0x20 != 0 }
    /// Bytes of the datagram before this fragment; 0 where it is whole or the first one.
    @inlinable public var fragmentOffset: Int { Int(bytes.readUInt16(at: network &+ 6) & 0x1fff) &* 8 }

    /// The first eight bytes of an ICMP message; nil where there is none.
    @inlinable public var icmp: ICMPv4Header? {
        guard storedLayout.hasTransportHeader, ipProtocol == .icmp else { return nil }
        return ICMPv4Header(uncheckedBase: bytes + transport)
    }
}

extension IPPacketView where Family == IPv6 {
    /// The first eight bytes of an ICMPv6 message; nil where there is none.
    @inlinable public var icmp: ICMPv6Header? {
        guard storedLayout.hasTransportHeader, ipProtocol == .icmpv6 else { return nil }
        return ICMPv6Header(uncheckedBase: bytes + transport)
    }

    /// The place of the fragment header; nil where there is none.
    @inlinable var fragmentHeader: UnsafeRawPointer? {
        var next = IPProtocol(rawValue: bytes.readUInt8(at: network &+ 6))
        var offset = network &+ IPv6Header.length
        // The parse found each extension header whole, up to `transport`.
        while offset < transport {
            if next == .fragment { return bytes + offset }
            next = IPProtocol(rawValue: bytes.readUInt8(at: offset))
            offset &+= 8 &+ Int(bytes.readUInt8(at: offset &+ 1)) &* 8
        }
        return nil
    }
}

extension IPPacketView {
    @inlinable public var destinationMAC: MACAddress {
        get { bytes.readMAC(at: 0) }
        nonmutating set { base.write(newValue, at: 0) }
    }

    @inlinable public var sourceMAC: MACAddress {
        get { bytes.readMAC(at: 6) }
        nonmutating set { base.write(newValue, at: 6) }
    }

    /// Both addresses of the next hop's Ethernet header.
    @inlinable public func setMACs(destination: MACAddress, source: MACAddress) {
        base.write(destination, at: 0)
        base.write(source, at: 6)
    }
}

/// An IPv4 packet in an Ethernet frame that was parsed once: reading and rewriting it cannot fail.
///
/// A plain value, not a lifetime-bound view, because it travels together with a `Frame`, whose owner (a receive ring
/// or a queue's arena) states how long the bytes stay. Only `ParsedFrame` makes one, so that every offset was checked.
@frozen
public struct PacketView {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline var storedLayout: FrameLayout

    @inlinable
    init(uncheckedBase base: UnsafeMutableRawPointer, layout: FrameLayout) {
        self.base = base
        storedLayout = layout
    }

    /// - Returns: nil where the frame is not a well-formed IPv4 packet; `ParsedFrame` says why
    @inlinable
    public init?(_ frame: UnsafeMutableRawBufferPointer) {
        guard case .ipv4(let packet) = ParsedFrame(frame) else { return nil }
        self = packet
    }

    /// Offsets and flow; kept current by the rewriting members.
    @inlinable public var layout: FrameLayout { storedLayout }

    @inlinable var bytes: UnsafeRawPointer { UnsafeRawPointer(base) }
    @inlinable var network: Int { Int(storedLayout.networkOffset) }
    @inlinable var transport: Int { Int(storedLayout.transportOffset) }
}

// Every read and write below lies in the Ethernet header, in the IPv4 header, or behind a test of
// `hasTransportHeader` in the transport header: all three were found complete by the parse.

extension PacketView {
    @inlinable public var fiveTuple: FiveTuple { storedLayout.fiveTuple }
    @inlinable public var ipProtocol: IPProtocol { storedLayout.fiveTuple.protocol }
    @inlinable public var source: IPv4Address { storedLayout.fiveTuple.source }
    @inlinable public var destination: IPv4Address { storedLayout.fiveTuple.destination }
    @inlinable public var sourcePort: UInt16 { storedLayout.fiveTuple.sourcePort }
    @inlinable public var destinationPort: UInt16 { storedLayout.fiveTuple.destinationPort }
    /// Empty where the packet is not TCP.
    @inlinable public var tcpFlags: TCPFlags { storedLayout.tcpFlags }

    @inlinable public var timeToLive: UInt8 { bytes.readUInt8(at: network &+ 8) }
    @inlinable public var identification: UInt16 { bytes.readUInt16(at: network &+ 4) }
    @inlinable public var dontFragment: Bool { bytes.readUInt8(at: network &+ 6) & 0x40 != 0 }
    /// Bytes of the datagram before this fragment; 0 where it is whole or the first one.
    @inlinable public var fragmentOffset: Int { Int(bytes.readUInt16(at: network &+ 6) & 0x1fff) &* 8 }
    @inlinable public var hasOptions: Bool { storedLayout.transportOffset &- storedLayout.networkOffset > 20 }

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

    /// The first eight bytes of an ICMP message; nil where there is none.
    @inlinable public var icmp: ICMPv4Header? {
        guard storedLayout.hasTransportHeader, ipProtocol == .icmp else { return nil }
        return ICMPv4Header(uncheckedBase: bytes + transport)
    }

    /// Whether the checksum of TCP, UDP or ICMP is right; true where the packet has none to look at (a fragment,
    /// another protocol, UDP without checksum).
    /// - Complexity: O(length of the packet)
    @inlinable public var isTransportChecksumValid: Bool {
        guard storedLayout.hasTransportHeader, storedLayout.fragment == .whole else { return true }
        let segment = segment
        var checksum = Checksum()
        switch ipProtocol {
        case .udp:
            // Guard: the parse found 8 ≤ datagram length ≤ segment length.
            if bytes.readUInt16(at: transport &+ 6) == 0 { return true }
            let length = Int(bytes.readUInt16(at: transport &+ 4))
            checksum.addPseudoHeader(source: source, destination: destination, protocol: .udp, length: length)
            checksum.add(bytes + transport, count: length)
        case .tcp:
            checksum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: segment.count)
            checksum.add(segment)
        default:
            checksum.add(segment)
        }
        return checksum.value == 0
    }
}

extension PacketView {
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

public import Wire

/// What a packet is wrapped in on its way through a tunnel. Neither header has options.
///
/// | | in front of the packet | bytes | largest segment at MTU 1500 |
/// |---|---|---|---|
/// | `ipip` | IPv4 | 20 | 1440 |
/// | `gre` | IPv4, GRE | 24 | 1436 |
///
/// Source: RFC 2003, 3; RFC 2784, 2
public enum Encapsulation: String, Hashable, Sendable, Codable, CaseIterable {
    case ipip
    case gre

    /// Bytes in front of the packet.
    @inlinable public var overhead: Int { self == .ipip ? 20 : 24 }

    /// What the outer header says is behind it.
    @inlinable public var `protocol`: IPProtocol { self == .ipip ? .ipip : .gre }

    /// The largest TCP segment whose packet fits through a link of that MTU, headers without options.
    public func maximumSegmentSize(mtu: Int) -> UInt16 { UInt16(clamping: mtu - overhead - 40) }
}

/// One way through a tunnel.
@frozen public struct Tunnel: Hashable, Sendable {
    public var encapsulation: Encapsulation
    /// The end that wraps.
    public var local: IPv4Address
    /// The end that unwraps.
    public var remote: IPv4Address

    @inlinable
    public init(_ encapsulation: Encapsulation, from local: IPv4Address, to remote: IPv4Address) {
        self.encapsulation = encapsulation
        self.local = local
        self.remote = remote
    }

    /// Bytes of the Ethernet frame that carries a packet of `packetLength` bytes.
    @inlinable public func frameLength(packetLength: Int) -> Int {
        EthernetHeader.length &+ encapsulation.overhead &+ packetLength
    }

    /// Writes a whole frame: Ethernet header without its addresses, outer header, and a copy of the packet, whose own
    /// time to live the caller has lowered.
    ///
    /// - The outer packet is never to be fragmented, whatever the inner one says, so its identification is 0
    ///   (RFC 6864, 4.1), and the far end needs no reassembly.
    /// - The traffic class is the inner one's, congestion marks included. Source: RFC 2983, 3.1; RFC 6040, 4.1
    /// - Parameter buffer: `frameLength(packetLength:)` bytes; must not overlap the packet
    /// - Returns: false where the packet does not fit into the buffer; what is in it then is undefined
    @inlinable
    public func wrap(_ packet: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let start = EthernetHeader.length &+ encapsulation.overhead
        guard let base = buffer.baseAddress, let source = packet.baseAddress, packet.count >= IPv4Header.minimumLength,
            buffer.count >= start &+ packet.count
        else { return false }
        // Guard: `start` bytes of headers and the packet's behind them.
        (base + start).copyMemory(from: source, byteCount: packet.count)
        base.write(EtherType.ipv4.rawValue, at: 12)
        let header = IPv4Header(
            source: local, destination: remote, protocol: encapsulation.protocol, timeToLive: 64,
            trafficClass: source.readUInt8(at: 1), identification: 0, dontFragment: true)
        let payload = packet.count &+ encapsulation.overhead &- IPv4Header.minimumLength
        let outer = UnsafeMutableRawBufferPointer(rebasing: buffer[EthernetHeader.length...])
        guard header.emit(into: outer, payloadLength: payload) != nil else { return false }
        if encapsulation == .gre {
            base.write(UInt16(0), at: EthernetHeader.length &+ IPv4Header.minimumLength)
            base.write(EtherType.ipv4.rawValue, at: EthernetHeader.length &+ IPv4Header.minimumLength &+ 2)
        }
        return true
    }
}

public import Mutants
public import Wire

/// One way through a tunnel of IPv4.
public typealias Tunnel = IPTunnel<IPv4>
/// One way through a tunnel of IPv6.
public typealias IPv6Tunnel = IPTunnel<IPv6>

/// One way through a tunnel.
@frozen public struct IPTunnel<Family: TunnelFamily>: Hashable, Sendable {
    /// Of the addresses' family.
    public var encapsulation: Encapsulation
    /// The end that wraps.
    public var local: Family.Address
    /// The end that unwraps.
    public var remote: Family.Address

    @inlinable
    public init(_ encapsulation: Encapsulation, from local: Family.Address, to remote: Family.Address) {
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
    /// - Parameters:
    ///   - flowLabel: of the outer header of IPv6, whose lowest 20 bits count; the same for all packets of a flow, so
    ///     that routers with equal paths spread tunnelled flows. Source: RFC 6438, 3
    ///   - buffer: `frameLength(packetLength:)` bytes; must not overlap the packet
    /// - Returns: false where the packet does not fit into the buffer; what is in it then is undefined
    @inlinable
    public func wrap(
        _ packet: UnsafeRawBufferPointer, flowLabel: UInt32 = 0, into buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let start = EthernetHeader.length &+ encapsulation.overhead
        guard let base = buffer.baseAddress, let source = packet.baseAddress, packet.count >= Family.headerLength,
            buffer.count >= start &+ packet.count
        else { return false }
        // Guard: `start` bytes of headers and the packet's behind them.
        (base + start).copyMemory(from: source, byteCount: packet.count)
        base.write(Family.etherType.rawValue, at: 12)
        let outer = UnsafeMutableRawBufferPointer(rebasing: buffer[EthernetHeader.length...])
        guard
            Family.emitOuter(
                self, trafficClass: Family.trafficClass(source), flowLabel: flowLabel, into: outer,
                payloadLength: packet.count &+ encapsulation.overhead &- Family.headerLength)
        else { return false }
        if encapsulation == .gre {
            let header = EthernetHeader.length &+ Family.headerLength
            base.write(UInt16(0), at: header)
            base.write(Family.etherType.rawValue, at: header &+ 2)
        }
        return true
    }
}

/// A family's part in tunnels: the outer header, and the byte of an IP header that says how congested the way is.
public protocol TunnelFamily: PortFamily {
    /// - Returns: false where header and payload do not fit
    static func emitOuter(
        _ tunnel: IPTunnel<Self>, trafficClass: UInt8, flowLabel: UInt32, into buffer: UnsafeMutableRawBufferPointer,
        payloadLength: Int
    ) -> Bool
    /// Guard of both: a whole IP header.
    static func trafficClass(_ header: UnsafeRawPointer) -> UInt8
    /// Marks a packet as one that met congestion, checksum included.
    static func markCongestion(_ header: UnsafeMutableRawPointer)
}

extension IPv4: TunnelFamily {
    @inlinable
    public static func emitOuter(
        _ tunnel: Tunnel, trafficClass: UInt8, flowLabel: UInt32, into buffer: UnsafeMutableRawBufferPointer,
        payloadLength: Int
    ) -> Bool {
        IPv4Header(
            source: tunnel.local, destination: tunnel.remote, protocol: tunnel.encapsulation.protocol, timeToLive: 64,
            trafficClass: trafficClass, identification: 0, dontFragment: !Mutant.isOn(.tunnelMayFragment)
        ).emit(into: buffer, payloadLength: payloadLength) != nil
    }

    @inlinable public static func trafficClass(_ header: UnsafeRawPointer) -> UInt8 { header.readUInt8(at: 1) }

    @inlinable
    public static func markCongestion(_ header: UnsafeMutableRawPointer) {
        let word = UnsafeRawPointer(header).readUInt16(at: 0)
        let checksum = UnsafeRawPointer(header).readUInt16(at: 10)
        header.write(word | 3, at: 0)
        header.write(Checksum.update(checksum, replacing: word, with: word | 3), at: 10)
    }
}

extension IPv6: TunnelFamily {
    @inlinable
    public static func emitOuter(
        _ tunnel: IPv6Tunnel, trafficClass: UInt8, flowLabel: UInt32, into buffer: UnsafeMutableRawBufferPointer,
        payloadLength: Int
    ) -> Bool {
        IPv6Header(
            source: tunnel.local, destination: tunnel.remote, nextHeader: tunnel.encapsulation.protocol, hopLimit: 64,
            trafficClass: trafficClass, flowLabel: flowLabel
        ).emit(into: buffer, payloadLength: payloadLength) != nil
    }

    /// Bits 4 … 11 of the header.
    @inlinable public static func trafficClass(_ header: UnsafeRawPointer) -> UInt8 {
        UInt8(truncatingIfNeeded: header.readUInt16(at: 0) >> 4)
    }

    @inlinable
    public static func markCongestion(_ header: UnsafeMutableRawPointer) {
        header.write(UnsafeRawPointer(header).readUInt16(at: 0) | 3 << 4, at: 0)
    }
}

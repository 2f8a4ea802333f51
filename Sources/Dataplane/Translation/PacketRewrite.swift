public import Mutants
public import Wire

/// The rewrite of an IPv4 flow.
public typealias PacketRewrite = IPPacketRewrite<IPv4>
/// The rewrite of an IPv6 flow.
public typealias IPv6PacketRewrite = IPPacketRewrite<IPv6>

/// New addresses and ports for every packet of one flow, with the corrections of the checksums worked out beforehand:
/// all packets of a flow carry the same old fields, so the correction is the same for all.
///
/// No allocation, no closure, no trapping arithmetic: this is the part of the path that can run in the kernel.
@frozen public struct IPPacketRewrite<Family: AddressFamily>: BitwiseCopyable, Sendable {
    /// Addresses, ports and protocol as the packets leave.
    public var new: FlowKey<Family>
    /// For the IPv4 header, which covers the addresses; IPv6 has no such checksum.
    public var headerChange: ChecksumChange
    /// For TCP and UDP, which cover addresses and ports.
    public var transportChange: ChecksumChange

    /// - Parameters:
    ///   - old: the packets' five-tuple as they arrive, TCP or UDP
    ///   - new: as they leave
    @inlinable
    public init(from old: FlowKey<Family>, to new: FlowKey<Family>) {
        self.new = new
        headerChange = new.pair.change(from: old.pair)
        transportChange = headerChange
        transportChange.replace(
            UInt32(truncatingIfNeeded: old.portsAndProtocol), with: UInt32(truncatingIfNeeded: new.portsAndProtocol))
        if Mutant.isOn(.wrongTransportChecksum) { transportChange.replace(UInt16(0), with: 1) }
        if Mutant.isOn(.wrongHeaderChecksum) { headerChange.replace(UInt16(0), with: 1) }
    }

    /// Rewrites a packet and lowers its time to live by one.
    /// - Parameters:
    ///   - header: an IP header without its options, time to live above zero
    ///   - transport: a complete TCP or UDP header
    @inlinable
    public func apply(header: UnsafeMutableRawPointer, transport: UnsafeMutableRawPointer) {
        // Guards: the caller's layout vouches for the fixed part of the IP header and for the whole TCP or UDP header.
        let network = UnsafeRawPointer(header)
        if Family.hasHeaderChecksum {
            let old = network.readUInt16(at: 8)
            let new = Mutant.isOn(.keepsTimeToLive) ? old : old &- 0x0100
            var change = headerChange
            change.replace(old, with: new)
            header.write(new, at: 8)
            header.write(change.applied(to: network.readUInt16(at: 10)), at: 10)
        } else {
            header.write(network.readUInt8(at: Family.timeToLiveOffset) &- 1, at: Family.timeToLiveOffset)
        }
        new.pair.write(to: header + Family.addressOffset)
        applyPorts(to: transport, available: .max)
    }

    /// Rewrites a packet that an ICMP error quotes, of which only the beginning may be there. Its time to live stays:
    /// it is what the reporting node saw.
    /// - Parameters:
    ///   - header: an IP header without its options
    ///   - transport: the first 8 bytes at least of a TCP or UDP header
    ///   - available: bytes from `transport` on
    @inlinable
    public func apply(
        quotedHeader header: UnsafeMutableRawPointer, transport: UnsafeMutableRawPointer, available: Int
    ) {
        if Family.hasHeaderChecksum {
            header.write(headerChange.applied(to: UnsafeRawPointer(header).readUInt16(at: 10)), at: 10)
        }
        new.pair.write(to: header + Family.addressOffset)
        applyPorts(to: transport, available: available)
    }

    @inlinable
    func applyPorts(to transport: UnsafeMutableRawPointer, available: Int) {
        transport.write(UInt32(truncatingIfNeeded: new.portsAndProtocol), at: 0)
        if new.protocol == .udp {
            transport.write(transportChange.appliedToUDP(UnsafeRawPointer(transport).readUInt16(at: 6)), at: 6)
        } else if available >= 18 {
            transport.write(transportChange.applied(to: UnsafeRawPointer(transport).readUInt16(at: 16)), at: 16)
        }
    }
}

extension IPPacketRewrite where Family == IPv4 {
    /// Source address in the upper half, destination below, as they leave.
    @inlinable public var addresses: UInt64 { new.addresses }
    /// Source port in the upper half, destination port below, as they leave.
    @inlinable public var ports: UInt32 { UInt32(truncatingIfNeeded: new.portsAndProtocol) }
}

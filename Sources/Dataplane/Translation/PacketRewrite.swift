public import Wire

/// New addresses and ports for every packet of one flow, with the corrections of the checksums worked out beforehand:
/// all packets of a flow carry the same old fields, so the correction is the same for all.
///
/// No allocation, no closure, no trapping arithmetic: this is the part of the path that can run in the kernel.
@frozen public struct PacketRewrite: BitwiseCopyable, Sendable {
    /// Source address in the upper half, destination below, as they leave.
    public var addresses: UInt64
    /// Source port in the upper half, destination port below, as they leave.
    public var ports: UInt32
    /// For the IPv4 header, which covers the addresses.
    public var headerChange: ChecksumChange
    /// For TCP and UDP, which cover addresses and ports.
    public var transportChange: ChecksumChange
    public var isUDP: Bool

    /// - Parameters:
    ///   - old: the packets' five-tuple as they arrive, TCP or UDP
    ///   - new: as they leave
    @inlinable
    public init(from old: FiveTuple, to new: FiveTuple) {
        addresses = new.addresses
        ports = UInt32(truncatingIfNeeded: new.portsAndProtocol)
        headerChange = ChecksumChange()
        headerChange.replace(old.addresses, with: new.addresses)
        transportChange = headerChange
        transportChange.replace(UInt32(truncatingIfNeeded: old.portsAndProtocol), with: ports)
        isUDP = new.protocol == .udp
    }

    /// Rewrites a packet and lowers its time to live by one.
    /// - Parameters:
    ///   - header: an IPv4 header of at least 20 bytes, time to live above zero
    ///   - transport: a complete TCP or UDP header
    @inlinable
    public func apply(header: UnsafeMutableRawPointer, transport: UnsafeMutableRawPointer) {
        // Guards: the caller's layout vouches for 20 bytes of IPv4 and for the whole TCP or UDP header.
        let network = UnsafeRawPointer(header)
        let old = network.readUInt16(at: 8)
        let new = old &- 0x0100
        var change = headerChange
        change.replace(old, with: new)
        header.write(new, at: 8)
        header.write(change.applied(to: network.readUInt16(at: 10)), at: 10)
        header.write(addresses, at: 12)
        transport.write(ports, at: 0)
        if isUDP {
            transport.write(transportChange.appliedToUDP(UnsafeRawPointer(transport).readUInt16(at: 6)), at: 6)
        } else {
            transport.write(transportChange.applied(to: UnsafeRawPointer(transport).readUInt16(at: 16)), at: 16)
        }
    }

    /// Rewrites a packet that an ICMP error quotes, of which only the beginning may be there. Its time to live stays:
    /// it is what the reporting node saw.
    /// - Parameters:
    ///   - header: an IPv4 header of at least 20 bytes
    ///   - transport: the first 8 bytes at least of a TCP or UDP header
    ///   - available: bytes from `transport` on
    @inlinable
    public func apply(
        quotedHeader header: UnsafeMutableRawPointer, transport: UnsafeMutableRawPointer, available: Int
    ) {
        header.write(headerChange.applied(to: UnsafeRawPointer(header).readUInt16(at: 10)), at: 10)
        header.write(addresses, at: 12)
        transport.write(ports, at: 0)
        if isUDP {
            transport.write(transportChange.appliedToUDP(UnsafeRawPointer(transport).readUInt16(at: 6)), at: 6)
        } else if available >= 18 {
            transport.write(transportChange.applied(to: UnsafeRawPointer(transport).readUInt16(at: 16)), at: 16)
        }
    }
}

public import Wire

/// The end of tunnels of IPv4.
public typealias TunnelEnd = IPTunnelEnd<IPv4>
/// The end of tunnels of IPv6.
public typealias IPv6TunnelEnd = IPTunnelEnd<IPv6>

/// The end of tunnels that unwraps: what may come in, and what may come out.
///
/// | refused | reason |
/// |---|---|
/// | a fragment of the outer packet, or an inner fragment | `fragment` |
/// | options in either IP header, or extension headers of IPv6 | `ipOptions` |
/// | an outer source that is none of the far ends | `tunnelStranger` |
/// | a GRE header with options or another version | `tunnelMalformed` |
/// | an inner packet that is truncated, not of the family, or with a wrong header checksum | `tunnelMalformed` |
/// | a tunnel within the tunnel | `tunnelNested` |
/// | an inner source that no packet may have, or that is this end's own | `sourceAddressInvalid` |
/// | an inner destination that is not behind this end | `tunnelDestination` |
/// | a mark of congestion on a packet that cannot bear one | `tunnelCongested` |
///
/// Strangers matter most: a tunnel end that takes packets from everybody lets everybody send with any source address.
public struct IPTunnelEnd<Family: TunnelFamily>: Sendable {
    /// Of the addresses' family.
    public let encapsulation: Encapsulation
    /// The address that outer packets are for.
    public let local: Family.Address
    /// Whose packets are taken.
    public let remotes: [Family.Address]
    /// What inner packets may be for.
    public let destinations: [Family.Address]

    public init(
        _ encapsulation: Encapsulation, local: Family.Address, remotes: [Family.Address], destinations: [Family.Address]
    ) {
        self.encapsulation = encapsulation
        self.local = local
        self.remotes = remotes
        self.destinations = destinations
    }

    public enum Result {
        /// Not for this tunnel: the kernel's, or somebody else's.
        case notTunnelled
        /// A frame in the same memory: room for an Ethernet header, whose type is written and whose addresses are not,
        /// then the inner packet.
        case packet(IPPacketView<Family>, frame: UnsafeMutableRawBufferPointer)
        case refused(DropReason)
    }

    /// Unwraps in place: the frame's outer headers are overwritten once they were found right.
    @inlinable
    public func unwrap(_ outer: IPPacketView<Family>, in frame: UnsafeMutableRawBufferPointer) -> Result {
        guard outer.ipProtocol == encapsulation.protocol, outer.destination == local else { return .notTunnelled }
        if outer.layout.isFragment { return .refused(.fragment) }
        if outer.hasOptions { return .refused(.ipOptions) }
        guard remotes.contains(outer.source) else { return .refused(.tunnelStranger) }
        guard let base = frame.baseAddress else { return .notTunnelled }
        var start = Int(outer.layout.transportOffset)
        let end = Int(outer.layout.endOffset)
        if encapsulation == .gre {
            guard end &- start >= GREHeader.minimumLength else { return .refused(.tunnelMalformed) }
            // Guard: 4 bytes. Only the header that the near end writes: no checksum, key, sequence number or routing.
            guard UnsafeRawPointer(base).readUInt16(at: start) == 0 else { return .refused(.tunnelMalformed) }
            guard UnsafeRawPointer(base).readUInt16(at: start &+ 2) == Family.etherType.rawValue else {
                return .refused(.tunnelMalformed)
            }
            start &+= GREHeader.minimumLength
        }
        guard case .layout(let inner) = Family.parsePacket(UnsafeRawPointer(base), from: start, to: end) else {
            return .refused(.tunnelMalformed)
        }
        if let reason = refusal(of: inner) { return .refused(reason) }
        guard takeCongestion(from: outer, into: base, at: start) else { return .refused(.tunnelCongested) }

        // Guard: 14 bytes of Ethernet and an IP header lie before `start`.
        let unwrapped = UnsafeMutableRawBufferPointer(
            start: base + (start &- EthernetHeader.length), count: EthernetHeader.length &+ inner.packetLength)
        unwrapped.baseAddress?.write(Family.etherType.rawValue, at: 12)
        guard let packet = Family.packet(in: unwrapped) else { return .refused(.tunnelMalformed) }
        return .packet(packet, frame: unwrapped)
    }

    @inlinable
    func refusal(of inner: IPLayout<Family>) -> DropReason? {
        switch inner.fiveTuple.protocol {
        case .ipip, .gre, .ipv6: return .tunnelNested
        default: break
        }
        if inner.isFragment { return .fragment }
        if Int(inner.transportOffset &- inner.networkOffset) > Family.headerLength { return .ipOptions }
        let source = inner.fiveTuple.source
        guard source.isRoutable, source != local, !destinations.contains(source) else { return .sourceAddressInvalid }
        return destinations.contains(inner.fiveTuple.destination) ? nil : .tunnelDestination
    }

    /// A router that was congested marked the outer packet: the inner one bears the mark on, or is dropped where its
    /// transport does not know marks. Source: RFC 6040, 4.2
    @inlinable
    func takeCongestion(from outer: IPPacketView<Family>, into base: UnsafeMutableRawPointer, at start: Int) -> Bool {
        // Guard: both headers were parsed.
        guard Family.trafficClass(UnsafeRawPointer(base) + Int(outer.layout.networkOffset)) & 3 == 3 else {
            return true
        }
        if Family.trafficClass(UnsafeRawPointer(base) + start) & 3 == 0 { return false }
        Family.markCongestion(base + start)
        return true
    }
}

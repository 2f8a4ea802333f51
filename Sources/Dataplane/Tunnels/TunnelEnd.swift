public import Wire

/// The end of tunnels that unwraps: what may come in, and what may come out.
///
/// | refused | reason |
/// |---|---|
/// | a fragment of the outer packet, or an inner fragment | `fragment` |
/// | options in either IP header | `ipOptions` |
/// | an outer source that is none of the far ends | `tunnelStranger` |
/// | a GRE header with options or another version | `tunnelMalformed` |
/// | an inner packet that is truncated, not IPv4, or with a wrong header checksum | `tunnelMalformed` |
/// | a tunnel within the tunnel | `tunnelNested` |
/// | an inner source that no packet may have, or that is this end's own | `sourceAddressInvalid` |
/// | an inner destination that is not behind this end | `tunnelDestination` |
/// | a mark of congestion on a packet that cannot bear one | `tunnelCongested` |
///
/// Strangers matter most: a tunnel end that takes packets from everybody lets everybody send with any source address.
public struct TunnelEnd: Sendable {
    public let encapsulation: Encapsulation
    /// The address that outer packets are for.
    public let local: IPv4Address
    /// Whose packets are taken.
    public let remotes: [IPv4Address]
    /// What inner packets may be for.
    public let destinations: [IPv4Address]

    public init(
        _ encapsulation: Encapsulation, local: IPv4Address, remotes: [IPv4Address], destinations: [IPv4Address]
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
        case packet(PacketView, frame: UnsafeMutableRawBufferPointer)
        case refused(DropReason)
    }

    /// Unwraps in place: the frame's outer headers are overwritten once they were found right.
    public func unwrap(_ outer: PacketView, in frame: UnsafeMutableRawBufferPointer) -> Result {
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
            guard UnsafeRawPointer(base).readUInt16(at: start &+ 2) == EtherType.ipv4.rawValue else {
                return .refused(.tunnelMalformed)
            }
            start &+= GREHeader.minimumLength
        }
        guard case .layout(let inner) = FrameLayout.parsePacket(UnsafeRawPointer(base), from: start, to: end) else {
            return .refused(.tunnelMalformed)
        }
        if let reason = refusal(of: inner) { return .refused(reason) }
        guard takeCongestion(from: outer, into: base, at: start) else { return .refused(.tunnelCongested) }

        // Guard: 14 bytes of Ethernet and at least 20 of IPv4 lie before `start`.
        let unwrapped = UnsafeMutableRawBufferPointer(
            start: base + (start &- EthernetHeader.length), count: EthernetHeader.length &+ inner.packetLength)
        unwrapped.baseAddress?.write(EtherType.ipv4.rawValue, at: 12)
        guard let packet = PacketView(unwrapped) else { return .refused(.tunnelMalformed) }
        return .packet(packet, frame: unwrapped)
    }

    private func refusal(of inner: FrameLayout) -> DropReason? {
        switch inner.fiveTuple.protocol {
        case .ipip, .gre, .ipv6: return .tunnelNested
        default: break
        }
        if inner.isFragment { return .fragment }
        if inner.transportOffset &- inner.networkOffset > 20 { return .ipOptions }
        let source = inner.fiveTuple.source
        guard source.isRoutable, source != local, !destinations.contains(source) else { return .sourceAddressInvalid }
        return destinations.contains(inner.fiveTuple.destination) ? nil : .tunnelDestination
    }

    /// A router that was congested marked the outer packet: the inner one bears the mark on, or is dropped where its
    /// transport does not know marks. Source: RFC 6040, 4.2
    private func takeCongestion(from outer: PacketView, into base: UnsafeMutableRawPointer, at start: Int) -> Bool {
        let mark = UnsafeRawPointer(base).readUInt8(at: Int(outer.layout.networkOffset) &+ 1) & 3
        guard mark == 3 else { return true }
        let word = UnsafeRawPointer(base).readUInt16(at: start)
        if word & 3 == 0 { return false }
        let checksum = UnsafeRawPointer(base).readUInt16(at: start &+ 10)
        base.write(word | 3, at: start)
        base.write(Checksum.update(checksum, replacing: word, with: word | 3), at: start &+ 10)
        return true
    }
}

/// What an Ethernet frame turned out to be, after the one parse that looks at its bounds.
///
/// | case | guaranteed |
/// |---|---|
/// | `ipv4` | complete header with a right checksum; total length within the frame; complete TCP, UDP or ICMP header |
/// | `arp` | Ethernet and IPv4 addresses, request or reply |
/// | `ipv6` | complete header, at most 8 extension headers, lengths within the frame; complete TCP, UDP or ICMPv6 header |
/// | `other` | at least the 14 bytes of the Ethernet header |
/// | `malformed` | nothing |
///
/// Transport checksums are not verified: a forwarder leaves that to the receiver, and rewrites preserve a wrong one.
@frozen
public enum ParsedFrame {
    case ipv4(PacketView)
    case arp(ARPHeader)
    case ipv6(IPv6PacketView)
    case other(EtherType)
    case malformed(WireError)

    /// - Complexity: O(1)
    @inlinable
    public init(_ frame: UnsafeMutableRawBufferPointer) {
        let bytes = UnsafeRawBufferPointer(frame)
        guard let base = frame.baseAddress, frame.count >= EthernetHeader.length else {
            self = .malformed(WireError(.ethernet, .truncated, found: frame.count, expected: EthernetHeader.length))
            return
        }
        switch EtherType(rawValue: UnsafeRawPointer(base).readUInt16(at: 12)) {
        case .ipv4:
            switch FrameLayout.parse(bytes) {
            case .layout(let layout): self = .ipv4(PacketView(uncheckedBase: base, layout: layout))
            case .malformed(let error): self = .malformed(error)
            }
        case .arp:
            let packet = UnsafeRawBufferPointer(rebasing: bytes[EthernetHeader.length...])
            do throws(WireError) { self = .arp(try ARPHeader(packet)) } catch { self = .malformed(error) }
        case .ipv6:
            switch IPv6FrameLayout.parse(bytes) {
            case .layout(let layout): self = .ipv6(IPv6PacketView(uncheckedBase: base, layout: layout))
            case .malformed(let error): self = .malformed(error)
            }
        case let type: self = .other(type)
        }
    }
}

public import Wire

/// What a packet is wrapped in on its way through a tunnel, which carries the family that it is made of. No header has
/// options.
///
/// | | in front of the packet | bytes | largest segment at MTU 1500 |
/// |---|---|---|---|
/// | `ipip` | IPv4 | 20 | 1440 |
/// | `gre` | IPv4, GRE | 24 | 1436 |
/// | `ip6ip6` | IPv6 | 40 | 1400 |
///
/// Source: RFC 2003, 3; RFC 2784, 2; RFC 2473, 3
public enum Encapsulation: String, Hashable, Sendable, Codable, CaseIterable {
    case ipip
    case gre
    case ip6ip6

    /// Of both the outer and the inner packet.
    @inlinable public var family: IPVersion { self == .ip6ip6 ? .ipv6 : .ipv4 }

    /// Bytes in front of the packet.
    @inlinable public var overhead: Int {
        switch self {
        case .ipip: 20
        case .gre: 24
        case .ip6ip6: 40
        }
    }

    /// What the outer header says is behind it.
    @inlinable public var `protocol`: IPProtocol {
        switch self {
        case .ipip: .ipip
        case .gre: .gre
        case .ip6ip6: .ipv6
        }
    }

    /// The least MTU of a tunnel's way that is believed and worked with. Of IPv4: what nobody can talk a sender below.
    /// Of IPv6: no sender makes its packets smaller than 1280 bytes, and these need room for the outer header, because
    /// this tunnel makes no fragments. Source: RFC 791, 3.2; RFC 8200, 5; RFC 2473, 7.1
    @inlinable public var leastPathMTU: Int { family == .ipv4 ? 576 : 1280 &+ overhead }

    /// The largest TCP segment whose packet fits through a link of that MTU, headers without options.
    public func maximumSegmentSize(mtu: Int) -> UInt16 {
        UInt16(clamping: mtu - overhead - (family == .ipv4 ? 20 : 40) - 20)
    }
}

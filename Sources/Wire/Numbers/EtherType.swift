/// What an Ethernet frame carries. Source: the IEEE's list of EtherTypes
@frozen
public struct EtherType: RawRepresentable, Hashable, Sendable, Codable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public static var ipv4: EtherType { EtherType(rawValue: 0x0800) }
    @inlinable public static var arp: EtherType { EtherType(rawValue: 0x0806) }
    @inlinable public static var vlan: EtherType { EtherType(rawValue: 0x8100) }
    /// The outer tag of two. Source: IEEE 802.1Q, table 9-1
    @inlinable public static var serviceVLAN: EtherType { EtherType(rawValue: 0x88a8) }
    @inlinable public static var ipv6: EtherType { EtherType(rawValue: 0x86dd) }
    /// Whether a VLAN tag follows.
    @inlinable public var isTag: Bool { self == .vlan || self == .serviceVLAN }
    /// Local experiments, never assigned to a protocol. Source: IEEE 802, 9.2.4
    @inlinable public static var localExperimental: EtherType { EtherType(rawValue: 0x88b5) }
}

extension EtherType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .ipv4: return "IPv4"
        case .arp: return "ARP"
        case .vlan: return "VLAN"
        case .ipv6: return "IPv6"
        default:
            let digits = String(rawValue, radix: 16)
            return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}

/// What an IPv4 or IPv6 packet carries. Source: IANA, Assigned Internet Protocol Numbers
@frozen
public struct IPProtocol: RawRepresentable, Hashable, Sendable, Codable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// IPv6 hop-by-hop options
    @inlinable public static var hopByHop: IPProtocol { IPProtocol(rawValue: 0) }
    @inlinable public static var icmp: IPProtocol { IPProtocol(rawValue: 1) }
    /// IPv4 in IP
    @inlinable public static var ipip: IPProtocol { IPProtocol(rawValue: 4) }
    @inlinable public static var tcp: IPProtocol { IPProtocol(rawValue: 6) }
    @inlinable public static var udp: IPProtocol { IPProtocol(rawValue: 17) }
    /// IPv6 in IP
    @inlinable public static var ipv6: IPProtocol { IPProtocol(rawValue: 41) }
    /// IPv6 routing header
    @inlinable public static var routing: IPProtocol { IPProtocol(rawValue: 43) }
    /// IPv6 fragment header
    @inlinable public static var fragment: IPProtocol { IPProtocol(rawValue: 44) }
    @inlinable public static var gre: IPProtocol { IPProtocol(rawValue: 47) }
    @inlinable public static var icmpv6: IPProtocol { IPProtocol(rawValue: 58) }
    /// No next header of IPv6
    @inlinable public static var none: IPProtocol { IPProtocol(rawValue: 59) }
    /// IPv6 destination options
    @inlinable public static var destinationOptions: IPProtocol { IPProtocol(rawValue: 60) }
    @inlinable public static var vrrp: IPProtocol { IPProtocol(rawValue: 112) }
}

extension IPProtocol: CustomStringConvertible {
    /// The name that `/etc/protocols` has, or the number.
    public var description: String {
        switch self {
        case .icmp: "icmp"
        case .ipip: "ipip"
        case .tcp: "tcp"
        case .udp: "udp"
        case .ipv6: "ipv6"
        case .gre: "gre"
        case .icmpv6: "icmpv6"
        case .vrrp: "vrrp"
        default: String(rawValue)
        }
    }
}

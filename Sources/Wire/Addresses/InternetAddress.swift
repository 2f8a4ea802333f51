/// What IPv4 and IPv6 addresses have in common, for code that is written once and specialised for each family.
public protocol InternetAddress: Hashable, Comparable, Sendable, BitwiseCopyable, TextCoded {
    associatedtype Network: InternetNetwork where Network.Address == Self

    /// 0.0.0.0 or ::
    static var any: Self { get }
    /// 255.255.255.255 or ffff:…:ffff: no station's, and nobody routes to it.
    static var allOnes: Self { get }
    /// 32 or 128
    static var bitCount: Int { get }
    /// The address without all but its first `prefixLength` bits (0 … `bitCount`).
    func masked(_ prefixLength: Int) -> Self
    /// nil for an address of the other family.
    init?(_ address: IPAddress)
    /// As an address of either family.
    var erased: IPAddress { get }
    /// The same number for the same address whatever the family, as dual-stack sockets have it: IPv4 as ::ffff:a.b.c.d.
    /// An IPv6 packet may not carry such an address (`isRoutable` is false), so that no two neighbours share one.
    var universal: IPv6Address { get }

    /// The last 64 bits as a number; all of an IPv4 address.
    var suffix: UInt64 { get }

    var isUnspecified: Bool { get }
    var isMulticast: Bool { get }
    var isLoopback: Bool { get }
    /// 255.255.255.255; IPv6 has none.
    var isBroadcast: Bool { get }
    /// Whether a router may forward to it: neither a group nor "this network" nor the host itself.
    var isRoutable: Bool { get }
}

/// What IPv4 and IPv6 networks have in common.
public protocol InternetNetwork: Hashable, Sendable, BitwiseCopyable, TextCoded {
    associatedtype Address: InternetAddress where Address.Network == Self

    init(_ address: Address, prefixLength: Int)
    /// 0.0.0.0/0 or ::/0
    static var any: Self { get }
    var address: Address { get }
    var prefixLength: Int { get }
    func contains(_ other: Address) -> Bool
}

extension IPv4Address: InternetAddress {
    public typealias Network = IPv4Network

    @inlinable public static var allOnes: IPv4Address { IPv4Address(rawValue: .max) }
    @inlinable public var suffix: UInt64 { UInt64(rawValue) }
    @inlinable public static var bitCount: Int { 32 }
    /// `<<` with an amount of 32 gives 0, which is what /0 needs.
    @inlinable public func masked(_ prefixLength: Int) -> IPv4Address {
        IPv4Address(rawValue: rawValue & UInt32.max << UInt32(truncatingIfNeeded: 32 &- prefixLength))
    }
    @inlinable public init?(_ address: IPAddress) {
        guard case .ipv4(let own) = address else { return nil }
        self = own
    }
    @inlinable public var erased: IPAddress { .ipv4(self) }
    @inlinable public var universal: IPv6Address { IPv6Address(high: 0, low: 0xffff_0000_0000 | UInt64(rawValue)) }
    /// Not of 0.0.0.0/8, 127.0.0.0/8 or 224.0.0.0/4, nor broadcast. Source: RFC 1812, 5.3.7
    @inlinable public var isRoutable: Bool { rawValue >> 24 != 0 && !isLoopback && !isMulticast && !isBroadcast }
}

extension IPv4Network: InternetNetwork {
    public typealias Address = IPv4Address
}

extension IPv6Address: InternetAddress {
    public typealias Network = IPv6Network

    @inlinable public static var allOnes: IPv6Address { IPv6Address(high: .max, low: .max) }
    @inlinable public var suffix: UInt64 { low }
    @inlinable public static var bitCount: Int { 128 }
    @inlinable public func masked(_ prefixLength: Int) -> IPv6Address {
        IPv6Network(self, prefixLength: prefixLength).address
    }
    @inlinable public init?(_ address: IPAddress) {
        guard case .ipv6(let own) = address else { return nil }
        self = own
    }
    @inlinable public var erased: IPAddress { .ipv6(self) }
    @inlinable public var universal: IPv6Address { self }
    @inlinable public var isBroadcast: Bool { false }
    /// Not ::, ::1, a group, nor IPv4-mapped, which no packet on a link may carry; link-local ones stay on their link.
    /// Source: RFC 4291, 2.5.2, 2.5.3, 2.5.6; RFC 4942, 2.2
    @inlinable public var isRoutable: Bool {
        !isMulticast && !isLinkLocal && !(high == 0 && (low <= 1 || low >> 32 == 0xffff))
    }
    /// Whether a packet on a link may come from it: `isRoutable`, or link-local.
    @inlinable public var isNeighbor: Bool { isRoutable || isLinkLocal }
}

extension IPv6Network: InternetNetwork {
    public typealias Address = IPv6Address
}

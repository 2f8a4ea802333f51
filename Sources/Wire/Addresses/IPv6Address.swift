/// An IPv6 address.
@frozen
public struct IPv6Address: Hashable, Comparable, Sendable {
    /// The first eight bytes of the wire as a number in host byte order.
    public let high: UInt64
    /// The last eight bytes of the wire as a number in host byte order.
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Eight groups of 16 bits, as the text form has them.
    @inlinable
    public init(
        _ a: UInt16, _ b: UInt16, _ c: UInt16, _ d: UInt16, _ e: UInt16, _ f: UInt16, _ g: UInt16, _ h: UInt16
    ) {
        let upper = UInt64(a) << 48 | UInt64(b) << 32
        let lower = UInt64(e) << 48 | UInt64(f) << 32
        high = upper | UInt64(c) << 16 | UInt64(d)
        low = lower | UInt64(g) << 16 | UInt64(h)
    }

    @inlinable public static func < (a: IPv6Address, b: IPv6Address) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    /// ::
    @inlinable public static var any: IPv6Address { IPv6Address(high: 0, low: 0) }
    /// ::1
    @inlinable public static var loopback: IPv6Address { IPv6Address(high: 0, low: 1) }
    /// ff02::1
    @inlinable public static var allNodes: IPv6Address { IPv6Address(high: 0xff02 << 48, low: 1) }
    /// ff02::2
    @inlinable public static var allRouters: IPv6Address { IPv6Address(high: 0xff02 << 48, low: 2) }
    /// ff02::12, where VRRP routers of one network listen. Source: RFC 9568, 5.1.2.2
    @inlinable public static var vrrpRouters: IPv6Address { IPv6Address(high: 0xff02 << 48, low: 0x12) }

    @inlinable public var isUnspecified: Bool { high == 0 && low == 0 }
    @inlinable public var isLoopback: Bool { high == 0 && low == 1 }
    /// ff00::/8
    @inlinable public var isMulticast: Bool { high >> 56 == 0xff }
    /// fe80::/10
    @inlinable public var isLinkLocal: Bool { high >> 54 == 0x3fa }
    /// fc00::/7. Source: RFC 4193, 3.1
    @inlinable public var isUniqueLocal: Bool { high >> 57 == 0x7e }
    /// ::ffff:0:0/96
    @inlinable public var isIPv4Mapped: Bool { high == 0 && low >> 32 == 0xffff }

    /// ff02::1:ff and the low 24 bits: the group in which the address' owner listens for neighbour solicitations.
    /// Source: RFC 4291, 2.7.1
    @inlinable public var solicitedNodeMulticast: IPv6Address {
        IPv6Address(high: 0xff02 << 48, low: 0x1_ff00_0000 | low & 0xff_ffff)
    }

    /// fe80:: and the modified EUI-64 of a MAC address. Source: RFC 4291, appendix A
    @inlinable public static func linkLocal(for mac: MACAddress) -> IPv6Address {
        let upper = (mac.packed >> 24 ^ 0x02_0000) << 40
        return IPv6Address(high: 0xfe80 << 48, low: upper | 0xff_fe00_0000 | mac.packed & 0xff_ffff)
    }
}

/// An IPv4 address.
@frozen
public struct IPv4Address: Hashable, Comparable, Sendable {
    /// The address as a number in host byte order: 192.0.2.1 is `0xc000_0201`.
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        rawValue = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    @inlinable public static func == (a: IPv4Address, b: IPv4Address) -> Bool { a.rawValue == b.rawValue }
    @inlinable public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.rawValue < b.rawValue }

    /// 0.0.0.0
    @inlinable public static var any: IPv4Address { IPv4Address(rawValue: 0) }
    /// 255.255.255.255
    @inlinable public static var broadcast: IPv4Address { IPv4Address(rawValue: 0xffff_ffff) }
    /// 127.0.0.1
    @inlinable public static var loopback: IPv4Address { IPv4Address(rawValue: 0x7f00_0001) }
    /// 224.0.0.18, where VRRP routers of one network listen. Source: RFC 9568, 5.1.1.2
    @inlinable public static var vrrpRouters: IPv4Address { IPv4Address(rawValue: 0xe000_0012) }

    @inlinable public var isUnspecified: Bool { rawValue == 0 }
    @inlinable public var isBroadcast: Bool { rawValue == 0xffff_ffff }
    /// 224.0.0.0/4
    @inlinable public var isMulticast: Bool { rawValue >> 28 == 0xe }
    /// 224.0.0.0/24, which routers never forward. Source: RFC 5771, 4
    @inlinable public var isLinkLocalMulticast: Bool { rawValue >> 8 == 0xe0_0000 }
    /// 169.254.0.0/16
    @inlinable public var isLinkLocal: Bool { rawValue >> 16 == 0xa9fe }
    /// 127.0.0.0/8
    @inlinable public var isLoopback: Bool { rawValue >> 24 == 127 }
    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16. Source: RFC 1918, 3
    @inlinable public var isPrivate: Bool {
        rawValue >> 24 == 10 || rawValue >> 20 == 0xac1 || rawValue >> 16 == 0xc0a8
    }
}

/// Addresses can be counted, so that a range of them is a collection.
extension IPv4Address: Strideable {
    @inlinable public func distance(to other: IPv4Address) -> Int { Int(other.rawValue) - Int(rawValue) }
    /// - Precondition: the result lies in 0.0.0.0 … 255.255.255.255
    @inlinable public func advanced(by n: Int) -> IPv4Address { IPv4Address(rawValue: UInt32(Int(rawValue) + n)) }
}

extension IPv4Address: TextCoded {
    public static var textForm: String { "an IPv4 address such as 192.0.2.1" }

    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 0xff).\(rawValue >> 8 & 0xff).\(rawValue & 0xff)"
    }

    /// Four decimal numbers 0 … 255 without leading zeros, which some programs would read as octal.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let number = decimal(part, maximum: 255) else { return nil }
            value = value << 8 | UInt32(number)
        }
        self.init(rawValue: value)
    }
}

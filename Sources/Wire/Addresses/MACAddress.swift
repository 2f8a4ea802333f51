/// A 48-bit Ethernet address.
@frozen
public struct MACAddress: Hashable, Comparable, Sendable {
    /// The six bytes in the low 48 bits, first byte of the wire most significant.
    public let packed: UInt64

    /// - Parameter packed: only the low 48 bits count
    @inlinable public init(packed: UInt64) { self.packed = packed & 0xffff_ffff_ffff }

    @inlinable
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ e: UInt8, _ f: UInt8) {
        let high = UInt64(a) << 40 | UInt64(b) << 32 | UInt64(c) << 24
        packed = high | UInt64(d) << 16 | UInt64(e) << 8 | UInt64(f)
    }

    @inlinable public static func < (a: MACAddress, b: MACAddress) -> Bool { a.packed < b.packed }

    @inlinable public static var zero: MACAddress { MACAddress(packed: 0) }
    @inlinable public static var broadcast: MACAddress { MACAddress(packed: 0xffff_ffff_ffff) }

    /// The group bit of the first byte; true for broadcast too.
    @inlinable public var isMulticast: Bool { packed & 0x0100_0000_0000 != 0 }
    @inlinable public var isBroadcast: Bool { packed == 0xffff_ffff_ffff }
    @inlinable public var isZero: Bool { packed == 0 }

    /// The virtual router's address 00-00-5E-00-01-{VRID}. Source: RFC 9568, 7.3
    @inlinable public static func virtualRouter(ipv4 id: UInt8) -> MACAddress {
        MACAddress(packed: 0x0000_5e00_0100 | UInt64(id))
    }

    /// The virtual router's address 00-00-5E-00-02-{VRID}. Source: RFC 9568, 7.3
    @inlinable public static func virtualRouter(ipv6 id: UInt8) -> MACAddress {
        MACAddress(packed: 0x0000_5e00_0200 | UInt64(id))
    }

    /// Whether this is a virtual router's address, of either IP version.
    @inlinable public var isVirtualRouter: Bool {
        packed >> 8 == 0x00_005e_0001 || packed >> 8 == 0x00_005e_0002
    }

    /// The group address of an IPv4 multicast group: 01-00-5E and its low 23 bits. Source: RFC 1112, 6.4
    @inlinable public static func multicast(for group: IPv4Address) -> MACAddress {
        MACAddress(packed: 0x0100_5e00_0000 | UInt64(group.rawValue & 0x7f_ffff))
    }

    /// The group address of an IPv6 multicast group: 33-33 and its low 32 bits. Source: RFC 2464, 7
    @inlinable public static func multicast(for group: IPv6Address) -> MACAddress {
        MACAddress(packed: 0x3333_0000_0000 | group.low & 0xffff_ffff)
    }
}

extension MACAddress: TextCoded {
    public static var textForm: String { "a MAC address such as 02:00:5e:10:00:01" }

    /// Six lower-case bytes with colons, as `ip link` shows them.
    public var description: String {
        var text = ""
        text.reserveCapacity(17)
        for shift in stride(from: 40, through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: packed >> UInt64(shift))
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
            if shift > 0 { text += ":" }
        }
        return text
    }

    /// Six bytes of two hexadecimal digits, all separated by `:` or all by `-`.
    public init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 17 else { return nil }
        let separator = characters[2]
        guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "-") else { return nil }
        var value: UInt64 = 0
        for index in 0..<6 {
            guard let high = hexadecimalDigit(characters[index * 3]),
                let low = hexadecimalDigit(characters[index * 3 + 1]),
                index == 5 || characters[index * 3 + 2] == separator
            else { return nil }
            value = value << 8 | UInt64(high << 4 | low)
        }
        self.init(packed: value)
    }
}

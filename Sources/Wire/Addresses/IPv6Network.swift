/// An IPv6 prefix: the addresses that share their first bits.
@frozen
public struct IPv6Network: Hashable, Sendable {
    /// The lowest address; its host bits are zero.
    public let address: IPv6Address
    /// 0 … 128
    public let prefixLength: Int

    /// - Parameter address: any address of the network; its host bits are cleared
    /// - Precondition: `prefixLength` is 0 … 128
    @inlinable
    public init(_ address: IPv6Address, prefixLength: Int) {
        precondition(prefixLength >= 0 && prefixLength <= 128, "an IPv6 prefix has 0 to 128 bits")
        let (high, low) = Self.mask(prefixLength)
        self.address = IPv6Address(high: address.high & high, low: address.low & low)
        self.prefixLength = prefixLength
    }

    @inlinable
    public init(address: IPv6Address, prefixLength: Int) { self.init(address, prefixLength: prefixLength) }

    /// ::/0, the destination of a default route
    @inlinable public static var any: IPv6Network { IPv6Network(.any, prefixLength: 0) }

    /// `<<` with an amount of 64 gives 0, which is what the empty half needs.
    @inlinable static func mask(_ prefixLength: Int) -> (high: UInt64, low: UInt64) {
        (UInt64.max << UInt64(max(0, 64 - prefixLength)), UInt64.max << UInt64(min(64, 128 - prefixLength)))
    }

    @inlinable public func contains(_ other: IPv6Address) -> Bool {
        let (high, low) = Self.mask(prefixLength)
        return other.high & high == address.high && other.low & low == address.low
    }

    @inlinable public func contains(_ other: IPv6Network) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }

    @inlinable public func overlaps(_ other: IPv6Network) -> Bool { contains(other) || other.contains(self) }
}

extension IPv6Network: TextCoded {
    public static var textForm: String { "an IPv6 network such as 2001:db8::/64, with no bit set behind the prefix" }

    public var description: String { "\(address)/\(prefixLength)" }

    /// - Returns: nil also where a bit behind the prefix is set; `IPv6InterfaceAddress` reads those
    public init?(_ text: String) {
        guard let (part, length) = splitPrefix(text, maximum: 128), let address = IPv6Address(String(part)) else {
            return nil
        }
        self.init(address, prefixLength: length)
        guard self.address == address else { return nil }
    }
}

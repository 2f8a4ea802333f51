/// An IPv4 prefix: the addresses that share their first bits.
@frozen
public struct IPv4Network: Hashable, Sendable {
    /// The lowest address; its host bits are zero.
    public let address: IPv4Address
    /// 0 … 32
    public let prefixLength: Int

    /// - Parameter address: any address of the network; its host bits are cleared
    /// - Precondition: `prefixLength` is 0 … 32
    @inlinable
    public init(_ address: IPv4Address, prefixLength: Int) {
        precondition(prefixLength >= 0 && prefixLength <= 32, "an IPv4 prefix has 0 to 32 bits")
        self.address = IPv4Address(rawValue: address.rawValue & Self.mask(prefixLength))
        self.prefixLength = prefixLength
    }

    @inlinable
    public init(address: IPv4Address, prefixLength: Int) { self.init(address, prefixLength: prefixLength) }

    /// 0.0.0.0/0, the destination of a default route
    @inlinable public static var any: IPv4Network { IPv4Network(.any, prefixLength: 0) }

    /// `<<` with an amount of 32 gives 0, which is what /0 needs.
    @inlinable static func mask(_ prefixLength: Int) -> UInt32 { UInt32.max << UInt32(32 - prefixLength) }

    /// The network as 255.255.255.0 would write it.
    @inlinable public var mask: IPv4Address { IPv4Address(rawValue: Self.mask(prefixLength)) }

    @inlinable public func contains(_ other: IPv4Address) -> Bool {
        other.rawValue & Self.mask(prefixLength) == address.rawValue
    }

    @inlinable public func contains(_ other: IPv4Network) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }

    @inlinable public func overlaps(_ other: IPv4Network) -> Bool { contains(other) || other.contains(self) }

    /// The highest address.
    @inlinable public var lastAddress: IPv4Address {
        IPv4Address(rawValue: address.rawValue | ~Self.mask(prefixLength))
    }

    /// The directed broadcast address; nil for /31 and /32, which have none. Source: RFC 3021, 2.2
    @inlinable public var broadcast: IPv4Address? { prefixLength >= 31 ? nil : lastAddress }

    /// Every address that an interface may have: without network and broadcast address, except for /31 and /32.
    @inlinable public var hosts: ClosedRange<IPv4Address> {
        if prefixLength >= 31 { return address...lastAddress }
        return address.advanced(by: 1)...lastAddress.advanced(by: -1)
    }
}

extension IPv4Network: TextCoded {
    public static var textForm: String { "an IPv4 network such as 192.0.2.0/24, with no bit set behind the prefix" }

    public var description: String { "\(address)/\(prefixLength)" }

    /// - Returns: nil also where a bit behind the prefix is set (`192.0.2.1/24`); `IPv4InterfaceAddress` reads those
    public init?(_ text: String) {
        guard let (part, length) = splitPrefix(text, maximum: 32), let address = IPv4Address(String(part)) else {
            return nil
        }
        self.init(address, prefixLength: length)
        guard self.address == address else { return nil }
    }
}

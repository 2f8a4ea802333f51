/// An interface's own address together with the network that it is in: `2001:db8::2/64`.
@frozen
public struct IPv6InterfaceAddress: Hashable, Sendable {
    public let address: IPv6Address
    /// 0 … 128
    public let prefixLength: Int

    /// - Precondition: `prefixLength` is 0 … 128
    @inlinable
    public init(_ address: IPv6Address, prefixLength: Int) {
        precondition(prefixLength >= 0 && prefixLength <= 128, "an IPv6 prefix has 0 to 128 bits")
        self.address = address
        self.prefixLength = prefixLength
    }

    @inlinable
    public init(address: IPv6Address, prefixLength: Int) { self.init(address, prefixLength: prefixLength) }

    @inlinable public var network: IPv6Network { IPv6Network(address, prefixLength: prefixLength) }
}

extension IPv6InterfaceAddress: TextCoded {
    public static var textForm: String { "an IPv6 address with its prefix length, such as 2001:db8::2/64" }

    public var description: String { "\(address)/\(prefixLength)" }

    public init?(_ text: String) {
        guard let (part, length) = splitPrefix(text, maximum: 128), let address = IPv6Address(String(part)) else {
            return nil
        }
        self.init(address, prefixLength: length)
    }
}

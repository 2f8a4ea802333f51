/// An interface's own address together with the network that it is in: `192.0.2.2/24`.
@frozen
public struct IPv4InterfaceAddress: Hashable, Sendable {
    public let address: IPv4Address
    /// 0 … 32
    public let prefixLength: Int

    /// - Precondition: `prefixLength` is 0 … 32
    @inlinable
    public init(_ address: IPv4Address, prefixLength: Int) {
        precondition(prefixLength >= 0 && prefixLength <= 32, "an IPv4 prefix has 0 to 32 bits")
        self.address = address
        self.prefixLength = prefixLength
    }

    @inlinable
    public init(address: IPv4Address, prefixLength: Int) { self.init(address, prefixLength: prefixLength) }

    @inlinable public var network: IPv4Network { IPv4Network(address, prefixLength: prefixLength) }
}

extension IPv4InterfaceAddress: TextCoded {
    public static var textForm: String { "an IPv4 address with its prefix length, such as 192.0.2.2/24" }

    public var description: String { "\(address)/\(prefixLength)" }

    public init?(_ text: String) {
        guard let (part, length) = splitPrefix(text, maximum: 32), let address = IPv4Address(String(part)) else {
            return nil
        }
        self.init(address, prefixLength: length)
    }
}

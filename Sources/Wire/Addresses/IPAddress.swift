/// An address of either family.
@frozen
public enum IPAddress: Hashable, Sendable, BitwiseCopyable {
    case ipv4(IPv4Address)
    case ipv6(IPv6Address)

    @inlinable public var ipv4: IPv4Address? { if case .ipv4(let address) = self { address } else { nil } }
    @inlinable public var ipv6: IPv6Address? { if case .ipv6(let address) = self { address } else { nil } }
    @inlinable public var isIPv4: Bool { ipv4 != nil }

    /// 32 or 128.
    @inlinable public var bitCount: Int { isIPv4 ? 32 : 128 }

    public var family: IPVersion { isIPv4 ? .ipv4 : .ipv6 }

    /// The address behind `InternetAddress.universal`.
    @inlinable
    public init(universal: IPv6Address) {
        self =
            universal.isIPv4Mapped
            ? .ipv4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: universal.low))) : .ipv6(universal)
    }

    /// See `InternetAddress.universal`.
    @inlinable public var universal: IPv6Address {
        switch self {
        case .ipv4(let address): address.universal
        case .ipv6(let address): address
        }
    }

    public var isMulticast: Bool { has(\.isMulticast, \.isMulticast) }
    public var isUnspecified: Bool { has(\.isUnspecified, \.isUnspecified) }
    public var isLoopback: Bool { has(\.isLoopback, \.isLoopback) }
    public var isBroadcast: Bool { ipv4?.isBroadcast ?? false }
    public var isLinkLocal: Bool { has(\.isLinkLocal, \.isLinkLocal) }
    public var isRoutable: Bool { has(\.isRoutable, \.isRoutable) }

    private func has(_ old: (IPv4Address) -> Bool, _ new: (IPv6Address) -> Bool) -> Bool {
        switch self {
        case .ipv4(let address): old(address)
        case .ipv6(let address): new(address)
        }
    }
}

/// Which Internet Protocol.
public enum IPVersion: String, Hashable, Sendable, Codable, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"

    /// 4 or 6.
    public var number: UInt8 { self == .ipv4 ? 4 : 6 }

    public init?(number: UInt8) {
        switch number {
        case 4: self = .ipv4
        case 6: self = .ipv6
        default: return nil
        }
    }
}

extension IPAddress: Comparable {
    /// IPv4 addresses come first.
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        switch (a, b) {
        case (.ipv4(let a), .ipv4(let b)): a < b
        case (.ipv6(let a), .ipv6(let b)): a < b
        case (.ipv4, .ipv6): true
        case (.ipv6, .ipv4): false
        }
    }
}

extension IPAddress: TextCoded {
    public static var textForm: String { "an IP address such as 192.0.2.1 or 2001:db8::1" }

    public var description: String {
        switch self {
        case .ipv4(let address): address.description
        case .ipv6(let address): address.description
        }
    }

    public init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .ipv4(address)
        } else if let address = IPv6Address(text) {
            self = .ipv6(address)
        } else {
            return nil
        }
    }

    /// As it stands before a colon and a port: IPv6 in brackets. Source: RFC 3986, 3.2.2
    public var bracketed: String { isIPv4 ? description : "[\(description)]" }

    /// `192.0.2.1:80`, `[2001:db8::1]:80`
    public func endpoint(port: UInt16) -> String { "\(bracketed):\(port)" }
}

/// A network of either family.
@frozen
public enum IPNetwork: Hashable, Sendable, BitwiseCopyable {
    case ipv4(IPv4Network)
    case ipv6(IPv6Network)

    public var address: IPAddress {
        switch self {
        case .ipv4(let network): .ipv4(network.address)
        case .ipv6(let network): .ipv6(network.address)
        }
    }

    public var prefixLength: Int {
        switch self {
        case .ipv4(let network): network.prefixLength
        case .ipv6(let network): network.prefixLength
        }
    }

    public var family: IPVersion { address.family }
    /// 0.0.0.0/0 or ::/0, the destination of a default route.
    public var isDefault: Bool { prefixLength == 0 }

    /// False for an address of the other family.
    @inlinable public func contains(_ address: IPAddress) -> Bool {
        switch (self, address) {
        case (.ipv4(let network), .ipv4(let address)): network.contains(address)
        case (.ipv6(let network), .ipv6(let address)): network.contains(address)
        default: false
        }
    }

    public func overlaps(_ other: IPNetwork) -> Bool {
        switch (self, other) {
        case (.ipv4(let a), .ipv4(let b)): a.overlaps(b)
        case (.ipv6(let a), .ipv6(let b)): a.overlaps(b)
        default: false
        }
    }
}

extension IPNetwork: TextCoded {
    public static var textForm: String {
        "an IP network such as 192.0.2.0/24 or 2001:db8::/64, with no bit set behind the prefix"
    }

    public var description: String {
        switch self {
        case .ipv4(let network): network.description
        case .ipv6(let network): network.description
        }
    }

    public init?(_ text: String) {
        if let network = IPv4Network(text) {
            self = .ipv4(network)
        } else if let network = IPv6Network(text) {
            self = .ipv6(network)
        } else {
            return nil
        }
    }
}

/// An interface's own address of either family, with its prefix length.
public enum IPInterfaceAddress: Hashable, Sendable {
    case ipv4(IPv4InterfaceAddress)
    case ipv6(IPv6InterfaceAddress)

    public init(_ address: IPAddress, prefixLength: Int) {
        switch address {
        case .ipv4(let address): self = .ipv4(IPv4InterfaceAddress(address, prefixLength: prefixLength))
        case .ipv6(let address): self = .ipv6(IPv6InterfaceAddress(address, prefixLength: prefixLength))
        }
    }

    public var address: IPAddress {
        switch self {
        case .ipv4(let own): .ipv4(own.address)
        case .ipv6(let own): .ipv6(own.address)
        }
    }

    public var network: IPNetwork {
        switch self {
        case .ipv4(let own): .ipv4(own.network)
        case .ipv6(let own): .ipv6(own.network)
        }
    }

    public var prefixLength: Int { network.prefixLength }
}

extension IPInterfaceAddress: TextCoded {
    public static var textForm: String { "an address with its prefix length, such as 192.0.2.2/24 or 2001:db8::2/64" }

    public var description: String { "\(address)/\(prefixLength)" }

    public init?(_ text: String) {
        if let own = IPv4InterfaceAddress(text) {
            self = .ipv4(own)
        } else if let own = IPv6InterfaceAddress(text) {
            self = .ipv6(own)
        } else {
            return nil
        }
    }
}

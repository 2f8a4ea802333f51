internal import CNetlink
internal import Glibc
public import Wire

/// How far an address or a route is valid, as `ip` calls it.
public enum AddressScope: UInt8, Hashable, Sendable {
    case global = 0
    case link = 253
    case host = 254
}

/// Behaviour of an address that the kernel is to leave out.
public struct AddressOptions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPv6: usable at once, without asking the link whether another has it (`nodad`).
    public static let withoutDuplicateDetection = AddressOptions(rawValue: UInt32(IFA_F_NODAD))
    /// No route to the address's network comes with it (`noprefixroute`).
    public static let withoutPrefixRoute = AddressOptions(rawValue: UInt32(IFA_F_NOPREFIXROUTE))
}

extension NetlinkRequest {
    /// Equals `ip addr add ADDRESS/PREFIX dev NAME scope SCOPE [nodad] [noprefixroute]`
    public static func addAddress(
        _ address: NetworkAddress, prefixLength: Int, to link: LinkReference, scope: AddressScope = .global,
        options: AddressOptions = []
    ) -> NetlinkRequest {
        requestAddress(
            RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, "add", address, prefixLength, link, scope, options)
    }

    /// Equals `ip addr add ADDRESS/PREFIX dev NAME`
    public static func addAddress(
        _ address: IPv4InterfaceAddress, to link: LinkReference, scope: AddressScope = .global,
        options: AddressOptions = []
    ) -> NetlinkRequest {
        addAddress(
            .ipv4(address.address), prefixLength: address.prefixLength, to: link, scope: scope, options: options)
    }

    /// Equals `ip addr add ADDRESS/PREFIX dev NAME nodad`: no lab waits a second for each address.
    public static func addAddress(
        _ address: IPv6InterfaceAddress, to link: LinkReference, scope: AddressScope = .global,
        options: AddressOptions = .withoutDuplicateDetection
    ) -> NetlinkRequest {
        addAddress(
            .ipv6(address.address), prefixLength: address.prefixLength, to: link, scope: scope, options: options)
    }

    /// Equals `ip addr del ADDRESS/PREFIX dev NAME`
    public static func deleteAddress(
        _ address: NetworkAddress, prefixLength: Int, from link: LinkReference
    ) -> NetlinkRequest {
        requestAddress(RTM_DELADDR, NLM_F_ACK, "delete", address, prefixLength, link, .global, [])
    }

    private static func requestAddress(
        _ type: some BinaryInteger, _ flags: some BinaryInteger, _ word: String, _ address: NetworkAddress,
        _ prefixLength: Int, _ link: LinkReference, _ scope: AddressScope, _ options: AddressOptions
    ) -> NetlinkRequest {
        var message = MessageBuilder(type: type, flags: flags)
        var header = ifaddrmsg()
        header.ifa_family = address.netlinkFamily
        header.ifa_prefixlen = UInt8(clamping: prefixLength)
        header.ifa_scope = scope.rawValue
        message.putStructure(header)
        message.putIndex(link, ofStructureSize: MemoryLayout<ifaddrmsg>.size, fieldOffset: 4)
        message.put(IFA_LOCAL, bytes: address.bytes)
        message.put(IFA_ADDRESS, bytes: address.bytes)
        if !options.isEmpty { message.put(IFA_FLAGS, u32: options.rawValue) }
        return message.finish(
            verb: "\(word) address \(address)/\(prefixLength)", interface: link.description,
            problem: problem(prefixLength: prefixLength, of: address))
    }

    static func problem(prefixLength: Int, of address: NetworkAddress) -> String? {
        (0...address.bitCount).contains(prefixLength)
            ? nil : "the prefix of \(address) has \(prefixLength) bits; allowed are 0 to \(address.bitCount)"
    }
}

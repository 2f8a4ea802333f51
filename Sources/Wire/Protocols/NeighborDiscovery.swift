/// A message of IPv6 Neighbour Discovery, without the options that no lab needs.
///
/// ```
/// solicitation and advertisement  4 flags (1), zero (3) | 8 target (16) | 24 options
/// router solicitation             4 zero (4) | 8 options
/// router advertisement            4 hop limit, flags, lifetime in seconds (2)
///                                 8 reachable time (4) | 12 retransmission timer (4) | 16 options
/// option                          0 type | 1 length in units of 8 bytes | 2 value
/// ```
/// The receiver must have seen a hop limit of 255. Source: RFC 4861, 4 and 6.1, 7.1
public enum NeighborDiscovery: Hashable, Sendable {
    /// - linkLayerAddress: the sender's; nil from an unspecified address
    case neighborSolicitation(target: IPv6Address, linkLayerAddress: MACAddress?)
    case neighborAdvertisement(target: IPv6Address, flags: Flags, linkLayerAddress: MACAddress?)
    case routerSolicitation(linkLayerAddress: MACAddress?)
    /// - lifetime: seconds for which the sender is a default router; 0 for none
    case routerAdvertisement(hopLimit: UInt8, lifetime: UInt16, linkLayerAddress: MACAddress?)

    /// What a neighbour advertisement says about its sender.
    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static var router: Flags { Flags(rawValue: 0x80) }
        /// The answer to a solicitation.
        public static var solicited: Flags { Flags(rawValue: 0x40) }
        /// Replaces what the receiver's cache holds.
        public static var override: Flags { Flags(rawValue: 0x20) }
    }

    /// The hop limit that sender and receiver require.
    public static var hopLimit: UInt8 { 255 }

    private enum Option {
        static let sourceLinkLayerAddress: UInt8 = 1
        static let targetLinkLayerAddress: UInt8 = 2
    }

    public var type: ICMPv6Type {
        switch self {
        case .neighborSolicitation: .neighborSolicitation
        case .neighborAdvertisement: .neighborAdvertisement
        case .routerSolicitation: .routerSolicitation
        case .routerAdvertisement: .routerAdvertisement
        }
    }

    /// - Throws: `unknownKind` for other messages and codes, `truncated`, `forbiddenValue` for a multicast target,
    ///   `wrongOption`
    public init(_ view: borrowing ICMPv6View) throws(WireError) {
        let header = view.header
        guard header.code == 0 else { throw WireError(.icmpv6, .unknownKind, found: Int(header.code)) }
        switch header.type {
        case .neighborSolicitation, .neighborAdvertisement:
            let body = try Self.body(view, minimum: 16)
            let target = body.readIPv6(at: 0)
            guard !target.isMulticast else { throw WireError(.icmpv6, .forbiddenValue, found: 0xff) }
            if header.type == .neighborSolicitation {
                let address = try Self.option(Option.sourceLinkLayerAddress, in: view, after: 16)
                self = .neighborSolicitation(target: target, linkLayerAddress: address)
            } else {
                let address = try Self.option(Option.targetLinkLayerAddress, in: view, after: 16)
                let flags = Flags(rawValue: UInt8(header.rest >> 24) & 0xe0)
                self = .neighborAdvertisement(target: target, flags: flags, linkLayerAddress: address)
            }
        case .routerSolicitation:
            let address = try Self.option(Option.sourceLinkLayerAddress, in: view, after: 0)
            self = .routerSolicitation(linkLayerAddress: address)
        case .routerAdvertisement:
            _ = try Self.body(view, minimum: 8)
            let address = try Self.option(Option.sourceLinkLayerAddress, in: view, after: 8)
            self = .routerAdvertisement(
                hopLimit: UInt8(header.rest >> 24), lifetime: UInt16(header.rest & 0xffff), linkLayerAddress: address)
        default:
            throw WireError(.icmpv6, .unknownKind, found: Int(header.type.rawValue))
        }
    }

    private static func body(_ view: borrowing ICMPv6View, minimum: Int) throws(WireError) -> UnsafeRawPointer {
        guard let base = view.body.baseAddress, view.body.count >= minimum else {
            throw WireError(.icmpv6, .truncated, found: view.length, expected: ICMPv6Header.length + minimum)
        }
        return base
    }

    /// The Ethernet address in the first option of a kind.
    private static func option(
        _ kind: UInt8, in view: borrowing ICMPv6View, after start: Int
    ) throws(WireError) -> MACAddress? {
        let body = view.body
        var address: MACAddress?
        var offset = start
        while offset < body.count {
            // An option of length zero would never end: the whole message is refused. Source: RFC 4861, 4.6
            guard body.count - offset >= 8, body[offset + 1] != 0, offset + Int(body[offset + 1]) * 8 <= body.count
            else { throw WireError(.icmpv6, .wrongOption, found: ICMPv6Header.length + offset) }
            if body[offset] == kind, address == nil, let base = body.baseAddress {
                address = base.readMAC(at: offset + 2)
            }
            offset += Int(body[offset + 1]) * 8
        }
        return address
    }

    /// - Returns: the message's bytes, ICMPv6 header included; nil where they do not fit
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, source: IPv6Address, destination: IPv6Address
    ) -> Int? {
        var body = 0
        var rest: UInt32 = 0
        var option: (kind: UInt8, address: MACAddress)?
        // 24 fixed bytes and an option of 8: whatever the message, it fits then.
        guard let base = buffer.baseAddress, buffer.count >= 32 else { return nil }
        let start = ICMPv6Header.length
        switch self {
        case .neighborSolicitation(let target, let address):
            base.write(target, at: start)
            body = 16
            option = address.map { (Option.sourceLinkLayerAddress, $0) }
        case .neighborAdvertisement(let target, let flags, let address):
            base.write(target, at: start)
            body = 16
            rest = UInt32(flags.rawValue) << 24
            option = address.map { (Option.targetLinkLayerAddress, $0) }
        case .routerSolicitation(let address):
            option = address.map { (Option.sourceLinkLayerAddress, $0) }
        case .routerAdvertisement(let hopLimit, let lifetime, let address):
            base.write(UInt64(0), at: start)
            body = 8
            rest = UInt32(hopLimit) << 24 | UInt32(lifetime)
            option = address.map { (Option.sourceLinkLayerAddress, $0) }
        }
        if let option {
            base.write(option.kind, at: start + body)
            base.write(UInt8(1), at: start + body + 1)
            base.write(option.address, at: start + body + 2)
            body += 8
        }
        let header = ICMPv6Header(type: type, rest: rest)
        return header.emit(into: buffer, bodyLength: body, source: source, destination: destination).map { $0 + body }
    }
}

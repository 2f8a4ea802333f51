/// A borrowed VRRP advertisement, version 2 or 3, for IPv4 or IPv6.
///
/// ```
///  0 version (4 bits), type (4 bits) = 1 | 1 VRID | 2 priority | 3 count of addresses
///  4 v3: zero (4 bits), interval in centiseconds (12 bits) · v2: authentication type, interval in seconds
///  6 checksum (2) | 8 addresses, 4 or 16 bytes each | v2: 8 bytes of authentication data
/// ```
/// Whether the sender was on the link (time to live 255) is for the caller to see.
/// Source: RFC 9568, 5; RFC 3768, 5
@frozen
public struct VRRPView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    /// The advertisement's own bytes; what follows is ignored.
    public let length: Int
    /// Which checksum the sender wrote.
    public let checksum: VRRPChecksum

    /// - Parameters: addresses of the IP header, for the pseudo-header
    /// - Throws: `truncated`, `wrongVersion`, `unknownKind`, `forbiddenValue` (VRID, count or interval 0),
    ///   `wrongLength`, `wrongChecksum` (neither with nor without pseudo-header)
    @_lifetime(borrow bytes)
    public init(_ bytes: UnsafeRawBufferPointer, source: IPv4Address, destination: IPv4Address) throws(WireError) {
        length = try Self.checkedLength(bytes, addressLength: 4)
        base = bytes.baseAddress.unsafelyUnwrapped  // `checkedLength` refused an empty buffer.
        let version = base.readUInt8(at: 0) >> 4
        var sum = Checksum()
        sum.add(base, count: length)
        if sum.value == 0 {
            checksum = .messageOnly
            return
        }
        sum.addPseudoHeader(source: source, destination: destination, protocol: .vrrp, length: length)
        // Version 2 never had a pseudo-header.
        guard version == 3, sum.value == 0 else {
            throw WireError(.vrrp, .wrongChecksum, found: Int(base.readUInt16(at: 6)))
        }
        checksum = .pseudoHeader
    }

    /// IPv6 has version 3 alone, and its checksum always covers the pseudo-header.
    @_lifetime(borrow bytes)
    public init(_ bytes: UnsafeRawBufferPointer, source: IPv6Address, destination: IPv6Address) throws(WireError) {
        length = try Self.checkedLength(bytes, addressLength: 16)
        base = bytes.baseAddress.unsafelyUnwrapped  // `checkedLength` refused an empty buffer.
        let version = base.readUInt8(at: 0) >> 4
        guard version == 3 else { throw WireError(.vrrp, .wrongVersion, found: Int(version), expected: 3) }
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .vrrp, length: length)
        sum.add(base, count: length)
        guard sum.value == 0 else {
            throw WireError(.vrrp, .wrongChecksum, found: Int(base.readUInt16(at: 6)))
        }
        checksum = .pseudoHeader
    }

    private static func checkedLength(
        _ bytes: UnsafeRawBufferPointer, addressLength: Int
    ) throws(WireError) -> Int {
        guard let base = bytes.baseAddress, bytes.count >= VRRPHeader.fixedLength else {
            throw WireError(.vrrp, .truncated, found: bytes.count, expected: VRRPHeader.fixedLength)
        }
        // Guard: 8 bytes.
        let first = base.readUInt8(at: 0)
        guard let version = VRRPHeader.Version(rawValue: first >> 4) else {
            throw WireError(.vrrp, .wrongVersion, found: Int(first >> 4), expected: 3)
        }
        guard first & 0x0f == 1 else { throw WireError(.vrrp, .unknownKind, found: Int(first & 0x0f), expected: 1) }
        let count = Int(base.readUInt8(at: 3))
        let timing = base.readUInt16(at: 4)
        let interval = version == .v3 ? timing & 0x0fff : timing & 0xff
        guard base.readUInt8(at: 1) != 0, count != 0, interval != 0 else {
            throw WireError(.vrrp, .forbiddenValue, found: 0)
        }
        if version == .v2, timing >> 8 != 0 {
            throw WireError(.vrrp, .forbiddenValue, found: Int(timing >> 8))
        }
        let trailer = version == .v2 ? VRRPHeader.version2Trailer : 0
        let length = VRRPHeader.fixedLength + count * addressLength + trailer
        guard length <= bytes.count else {
            throw WireError(.vrrp, .wrongLength, found: length, expected: bytes.count)
        }
        return length
    }

    // Guard: 8 + count × address (+ 8) bytes, by the initializers.
    public var version: VRRPHeader.Version { base.readUInt8(at: 0) >> 4 == 2 ? .v2 : .v3 }
    public var id: UInt8 { base.readUInt8(at: 1) }
    /// 0: the Active stops; 255: the owner of the addresses.
    public var priority: UInt8 { base.readUInt8(at: 2) }
    public var addressCount: Int { Int(base.readUInt8(at: 3)) }
    /// Interval in hundredths of a second, of either version.
    public var centiseconds: UInt16 {
        version == .v3 ? base.readUInt16(at: 4) & 0x0fff : UInt16(base.readUInt8(at: 5)) * 100
    }

    /// - Precondition: the advertisement was parsed with IPv4 addresses, and `index` < `addressCount`
    public func ipv4Address(at index: Int) -> IPv4Address {
        precondition(index >= 0 && VRRPHeader.fixedLength + index * 4 + 4 <= length && index < addressCount)
        return base.readIPv4(at: VRRPHeader.fixedLength + index * 4)
    }

    /// - Precondition: the advertisement was parsed with IPv6 addresses, and `index` < `addressCount`
    public func ipv6Address(at index: Int) -> IPv6Address {
        precondition(index >= 0 && VRRPHeader.fixedLength + index * 16 + 16 <= length && index < addressCount)
        return base.readIPv6(at: VRRPHeader.fixedLength + index * 16)
    }
}

/// What the checksum of an advertisement covers beside the message.
///
/// RFC 9568, 5.2.8 says for IPv4: the message alone. keepalived and VPP send, and Wireshark expects, the pseudo-header
/// too for version 3. Both are accepted; what is sent is a choice.
@frozen
public enum VRRPChecksum: String, Hashable, Sendable, Codable, CaseIterable {
    case messageOnly = "message-only"
    case pseudoHeader = "pseudo-header"
}

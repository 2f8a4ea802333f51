/// The type of an ICMPv6 message. Source: IANA, ICMPv6 Parameters
@frozen
public struct ICMPv6Type: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var unreachable: ICMPv6Type { ICMPv6Type(rawValue: 1) }
    @inlinable public static var packetTooBig: ICMPv6Type { ICMPv6Type(rawValue: 2) }
    @inlinable public static var timeExceeded: ICMPv6Type { ICMPv6Type(rawValue: 3) }
    @inlinable public static var parameterProblem: ICMPv6Type { ICMPv6Type(rawValue: 4) }
    @inlinable public static var echoRequest: ICMPv6Type { ICMPv6Type(rawValue: 128) }
    @inlinable public static var echoReply: ICMPv6Type { ICMPv6Type(rawValue: 129) }
    @inlinable public static var routerSolicitation: ICMPv6Type { ICMPv6Type(rawValue: 133) }
    @inlinable public static var routerAdvertisement: ICMPv6Type { ICMPv6Type(rawValue: 134) }
    @inlinable public static var neighborSolicitation: ICMPv6Type { ICMPv6Type(rawValue: 135) }
    @inlinable public static var neighborAdvertisement: ICMPv6Type { ICMPv6Type(rawValue: 136) }

    /// Quotes the packet that it is about. Source: RFC 4443, 2.1
    @inlinable public var isError: Bool { rawValue < 128 }

    /// Echo, whose identifier is the flow's port.
    @inlinable public var isQuery: Bool { rawValue == 128 || rawValue == 129 }

    /// Router and neighbour solicitation, advertisement, and redirect: for the link alone. Source: RFC 4861, 4
    @inlinable public var isNeighborDiscovery: Bool { rawValue >= 133 && rawValue <= 137 }
}

/// Codes of "destination unreachable". Source: RFC 4443, 3.1
public enum ICMPv6UnreachableCode {
    public static var noRoute: UInt8 { 0 }
    public static var prohibited: UInt8 { 1 }
    public static var address: UInt8 { 3 }
    public static var port: UInt8 { 4 }
}

/// A borrowed ICMPv6 message.
///
/// ```
///  0 type | 1 code | 2 checksum (2), with pseudo-header | 4 rest (4) | 8 body
/// ```
/// Source: RFC 4443, 2.1
@frozen
public struct ICMPv6View: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let length: Int

    /// - Parameters: addresses of the IPv6 header, for the pseudo-header
    /// - Throws: `truncated`, `wrongChecksum`
    @_lifetime(borrow bytes)
    public init(_ bytes: UnsafeRawBufferPointer, source: IPv6Address, destination: IPv6Address) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= ICMPv6Header.length else {
            throw WireError(.icmpv6, .truncated, found: bytes.count, expected: ICMPv6Header.length)
        }
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .icmpv6, length: bytes.count)
        sum.add(bytes)
        guard sum.value == 0 else {
            throw WireError(.icmpv6, .wrongChecksum, found: Int(base.readUInt16(at: 2)))
        }
        self.base = base
        length = bytes.count
    }

    // Guard: 8 bytes, by the initializer.
    public var header: ICMPv6Header {
        ICMPv6Header(
            type: ICMPv6Type(rawValue: base.readUInt8(at: 0)), code: base.readUInt8(at: 1), rest: base.readUInt32(at: 4)
        )
    }

    public var body: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + ICMPv6Header.length, count: length - ICMPv6Header.length)
    }
}

/// The first eight bytes of an ICMPv6 message.
@frozen
public struct ICMPv6Header: Hashable, Sendable {
    public static var length: Int { 8 }

    public var type: ICMPv6Type
    public var code: UInt8
    /// Bytes 4 … 7: identifier and sequence, MTU, flags.
    public var rest: UInt32

    /// Guard: the caller found 8 bytes at `base`.
    @inlinable
    init(uncheckedBase base: UnsafeRawPointer) {
        type = ICMPv6Type(rawValue: base.readUInt8(at: 0))
        code = base.readUInt8(at: 1)
        rest = base.readUInt32(at: 4)
    }

    public init(type: ICMPv6Type, code: UInt8 = 0, rest: UInt32 = 0) {
        self.type = type
        self.code = code
        self.rest = rest
    }

    /// Writes the header in front of a body that is in the buffer already, behind 8 bytes, checksum included.
    /// - Returns: the header's bytes, 8; nil where header and body do not fit
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, bodyLength: Int, source: IPv6Address, destination: IPv6Address
    ) -> Int? {
        guard let base = buffer.baseAddress, bodyLength >= 0, bodyLength <= 0xffff - Self.length,
            buffer.count >= Self.length + bodyLength
        else { return nil }
        let length = Self.length + bodyLength
        base.write(type.rawValue, at: 0)
        base.write(code, at: 1)
        base.write(UInt16(0), at: 2)
        base.write(rest, at: 4)
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .icmpv6, length: length)
        sum.add(UnsafeRawPointer(base), count: length)
        base.write(sum.value, at: 2)
        return Self.length
    }
}

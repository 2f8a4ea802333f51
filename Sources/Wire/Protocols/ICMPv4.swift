/// The type of an ICMP message. Source: IANA, ICMP Parameters
@frozen
public struct ICMPv4Type: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var echoReply: ICMPv4Type { ICMPv4Type(rawValue: 0) }
    @inlinable public static var unreachable: ICMPv4Type { ICMPv4Type(rawValue: 3) }
    @inlinable public static var redirect: ICMPv4Type { ICMPv4Type(rawValue: 5) }
    @inlinable public static var echoRequest: ICMPv4Type { ICMPv4Type(rawValue: 8) }
    @inlinable public static var timeExceeded: ICMPv4Type { ICMPv4Type(rawValue: 11) }
    @inlinable public static var parameterProblem: ICMPv4Type { ICMPv4Type(rawValue: 12) }
    @inlinable public static var timestampRequest: ICMPv4Type { ICMPv4Type(rawValue: 13) }
    @inlinable public static var timestampReply: ICMPv4Type { ICMPv4Type(rawValue: 14) }

    /// Carries an identifier, so that an answer finds its question. Source: RFC 5508, 3
    @inlinable public var isQuery: Bool {
        self == .echoRequest || self == .echoReply || self == .timestampRequest || self == .timestampReply
    }

    /// Quotes the packet that it is about. Source: RFC 1122, 3.2.2
    @inlinable public var isError: Bool {
        self == .unreachable || self == .timeExceeded || self == .parameterProblem || self == .redirect
    }
}

/// Codes of `ICMPv4Type.unreachable`. Source: RFC 792, RFC 1812, 5.2.7.1
public enum ICMPv4UnreachableCode {
    public static var network: UInt8 { 0 }
    public static var host: UInt8 { 1 }
    public static var `protocol`: UInt8 { 2 }
    public static var port: UInt8 { 3 }
    public static var fragmentationNeeded: UInt8 { 4 }
    public static var administrativelyProhibited: UInt8 { 13 }
}

/// A borrowed ICMP message.
///
/// ```
///  0 type | 1 code | 2 checksum (2)
///  4 echo: identifier (2), sequence (2) · fragmentation needed: zero (2), next-hop MTU (2)
///  8 echo: data · error: the quoted IPv4 packet, at least its header and 8 bytes
/// ```
/// Source: RFC 792, RFC 1191
@frozen
public struct ICMPv4View: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let length: Int

    /// - Throws: `truncated`, `wrongChecksum`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= ICMPv4Header.length else {
            throw WireError(.icmpv4, .truncated, found: bytes.count, expected: ICMPv4Header.length)
        }
        guard Checksum.isValid(bytes) else {
            throw WireError(.icmpv4, .wrongChecksum, found: Int(base.readUInt16(at: 2)))
        }
        self.base = base
        length = bytes.count
    }

    // Guard: 8 bytes, by the initializer.
    @inlinable public var header: ICMPv4Header { ICMPv4Header(uncheckedBase: base) }
    /// Echo data, or the quoted packet of an error.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + ICMPv4Header.length, count: length &- ICMPv4Header.length)
    }
}

/// The first eight bytes of an ICMP message.
@frozen
public struct ICMPv4Header: Hashable, Sendable {
    public static var length: Int { @inlinable get { 8 } }

    public var type: ICMPv4Type
    public var code: UInt8
    /// Bytes 4 … 7, whose meaning depends on the type.
    public var rest: UInt32

    @inlinable
    public init(type: ICMPv4Type, code: UInt8 = 0, rest: UInt32 = 0) {
        self.type = type
        self.code = code
        self.rest = rest
    }

    /// Guard: the caller found 8 bytes.
    @inlinable
    init(uncheckedBase base: UnsafeRawPointer) {
        self.init(
            type: ICMPv4Type(rawValue: base.readUInt8(at: 0)), code: base.readUInt8(at: 1), rest: base.readUInt32(at: 4)
        )
    }

    @inlinable
    public static func echoRequest(identifier: UInt16, sequence: UInt16) -> ICMPv4Header {
        ICMPv4Header(type: .echoRequest, rest: UInt32(identifier) << 16 | UInt32(sequence))
    }

    @inlinable
    public static func echoReply(identifier: UInt16, sequence: UInt16) -> ICMPv4Header {
        ICMPv4Header(type: .echoReply, rest: UInt32(identifier) << 16 | UInt32(sequence))
    }

    /// - Parameter code: see `ICMPv4UnreachableCode`
    @inlinable
    public static func unreachable(code: UInt8) -> ICMPv4Header { ICMPv4Header(type: .unreachable, code: code) }

    /// - Parameter mtu: the largest packet in bytes that the next hop takes
    @inlinable
    public static func fragmentationNeeded(mtu: UInt16) -> ICMPv4Header {
        ICMPv4Header(type: .unreachable, code: ICMPv4UnreachableCode.fragmentationNeeded, rest: UInt32(mtu))
    }

    /// In transit: the time to live reached zero.
    @inlinable public static var timeExceeded: ICMPv4Header { ICMPv4Header(type: .timeExceeded) }

    /// Of a query.
    @inlinable public var identifier: UInt16 { UInt16(truncatingIfNeeded: rest >> 16) }
    /// Of a query.
    @inlinable public var sequence: UInt16 { UInt16(truncatingIfNeeded: rest) }
    /// Of "fragmentation needed"; routers older than RFC 1191 leave it zero.
    @inlinable public var nextHopMTU: UInt16 { UInt16(truncatingIfNeeded: rest) }

    /// Writes the header in front of a payload that is in the buffer already, behind 8 bytes, checksum included.
    /// - Returns: the header's bytes, 8; nil where header and payload do not fit
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int) -> Int? {
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff,
            buffer.count >= Self.length &+ payloadLength
        else { return nil }
        base.write(type.rawValue, at: 0)
        base.write(code, at: 1)
        base.write(UInt16(0), at: 2)
        base.write(rest, at: 4)
        let message = UnsafeRawBufferPointer(start: base, count: Self.length &+ payloadLength)
        base.write(Checksum.of(message), at: 2)
        return Self.length
    }
}

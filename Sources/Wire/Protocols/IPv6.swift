/// A borrowed IPv6 packet.
///
/// ```
///  0 version (4 bits), traffic class (8 bits), flow label (20 bits)
///  4 payload length (2) | 6 next header | 7 hop limit
///  8 source (16) | 24 destination (16) | 40 extension headers, payload
/// ```
/// Source: RFC 8200, 3
@frozen
public struct IPv6View: ~Escapable {
    /// More extension headers than this are refused: no honest packet has as many.
    public static var maximumExtensionHeaders: Int { 8 }

    @usableFromInline let base: UnsafeRawPointer
    /// The packet's own length; bytes behind it are Ethernet's padding.
    public let length: Int
    /// What follows the extension headers: the first that is none, or `none`. For a later fragment it is what the
    /// fragment header names, and `transport` begins in the middle of it.
    public let `protocol`: IPProtocol
    /// Bytes from the packet's start to what follows the extension headers.
    public let transportOffset: Int
    public let fragment: IPFragment

    /// - Throws: `truncated`, `wrongVersion`, `wrongLength`, `wrongHeaderLength` for an extension header that runs
    ///   over the packet's end, `tooManyHeaders`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(bytes, isQuote: false) }

    /// A packet that an ICMPv6 error quotes, of which the end may be missing: its length is that of the quote.
    @_lifetime(borrow bytes)
    @inlinable
    public init(quote bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(bytes, isQuote: true) }

    @_lifetime(borrow bytes)
    @inlinable
    init(_ bytes: UnsafeRawBufferPointer, isQuote: Bool) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= IPv6Header.length else {
            throw WireError(.ipv6, .truncated, found: bytes.count, expected: IPv6Header.length)
        }
        // Guard: 40 bytes.
        let version = base.readUInt8(at: 0) >> 4
        guard version == 6 else { throw WireError(.ipv6, .wrongVersion, found: Int(version), expected: 6) }
        let length = isQuote ? bytes.count : IPv6Header.length + Int(base.readUInt16(at: 4))
        guard length <= bytes.count else {
            throw WireError(
                .ipv6, .wrongLength, found: length - IPv6Header.length, expected: bytes.count - IPv6Header.length)
        }
        var next = IPProtocol(rawValue: base.readUInt8(at: 6))
        var offset = IPv6Header.length
        var fragment = IPFragment.whole
        var headers = 0
        while fragment != .later,
            next == .hopByHop || next == .routing || next == .destinationOptions || next == .fragment
        {
            headers += 1
            guard headers <= Self.maximumExtensionHeaders else {
                throw WireError(.ipv6, .tooManyHeaders, found: headers, expected: Self.maximumExtensionHeaders)
            }
            guard length - offset >= 8 else {
                throw WireError(.ipv6, .wrongHeaderLength, found: 8, expected: length - offset)
            }
            // Guard: 8 bytes from `offset`.
            var headerLength = 8
            if next == .fragment {
                let field = base.readUInt16(at: offset + 2)
                if field >> 3 != 0 { fragment = .later } else if field & 1 != 0 { fragment = .first }
            } else {
                headerLength += Int(base.readUInt8(at: offset + 1)) * 8
            }
            guard headerLength <= length - offset else {
                throw WireError(.ipv6, .wrongHeaderLength, found: headerLength, expected: length - offset)
            }
            next = IPProtocol(rawValue: base.readUInt8(at: offset))
            offset += headerLength
        }
        self.base = base
        self.length = length
        self.protocol = next
        self.transportOffset = offset
        self.fragment = fragment
    }

    // Guard: 40 ≤ transport offset ≤ length ≤ bytes, by the initializer.
    @inlinable public var trafficClass: UInt8 { UInt8(truncatingIfNeeded: base.readUInt16(at: 0) >> 4) }
    @inlinable public var flowLabel: UInt32 { base.readUInt32(at: 0) & 0xf_ffff }
    /// The next header of the IPv6 header itself.
    @inlinable public var nextHeader: IPProtocol { IPProtocol(rawValue: base.readUInt8(at: 6)) }
    @inlinable public var hopLimit: UInt8 { base.readUInt8(at: 7) }
    @inlinable public var source: IPv6Address { base.readIPv6(at: 8) }
    @inlinable public var destination: IPv6Address { base.readIPv6(at: 24) }
    /// Extension headers included.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + IPv6Header.length, count: length &- IPv6Header.length)
    }
    /// What follows the extension headers.
    @inlinable public var transport: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + transportOffset, count: length &- transportOffset)
    }
}

/// The header of an IPv6 packet; emitted without extension headers.
@frozen
public struct IPv6Header: Hashable, Sendable {
    public static var length: Int { @inlinable get { 40 } }

    public var source: IPv6Address
    public var destination: IPv6Address
    public var nextHeader: IPProtocol
    public var hopLimit: UInt8
    public var trafficClass: UInt8
    /// 20 bits
    public var flowLabel: UInt32

    @inlinable
    public init(
        source: IPv6Address, destination: IPv6Address, nextHeader: IPProtocol, hopLimit: UInt8 = 64,
        trafficClass: UInt8 = 0, flowLabel: UInt32 = 0
    ) {
        self.source = source
        self.destination = destination
        self.nextHeader = nextHeader
        self.hopLimit = hopLimit
        self.trafficClass = trafficClass
        self.flowLabel = flowLabel
    }

    @inlinable
    public init(_ view: borrowing IPv6View) {
        self.init(
            source: view.source, destination: view.destination, nextHeader: view.nextHeader, hopLimit: view.hopLimit,
            trafficClass: view.trafficClass, flowLabel: view.flowLabel)
    }

    /// Writes the header in front of `payloadLength` bytes.
    /// - Returns: the header's bytes, 40; nil where header and payload do not fit
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int) -> Int? {
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff,
            buffer.count >= Self.length &+ payloadLength
        else { return nil }
        base.write(0x6000_0000 | UInt32(trafficClass) << 20 | flowLabel & 0xf_ffff, at: 0)
        base.write(UInt16(truncatingIfNeeded: payloadLength), at: 4)
        base.write(nextHeader.rawValue, at: 6)
        base.write(hopLimit, at: 7)
        base.write(source, at: 8)
        base.write(destination, at: 24)
        return Self.length
    }
}

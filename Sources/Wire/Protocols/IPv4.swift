/// A borrowed IPv4 packet.
///
/// ```
///  0 version, header length | 1 traffic class | 2 total length (2)
///  4 identification (2)     | 6 flags, fragment offset (2)
///  8 time to live | 9 protocol | 10 checksum (2)
/// 12 source (4) | 16 destination (4) | 20 options | payload
/// ```
/// Source: RFC 791, 3.1
@frozen
public struct IPv4View: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    /// The packet's own length; bytes behind it are Ethernet's padding.
    public let length: Int

    /// - Throws: `truncated`, `wrongVersion`, `wrongHeaderLength`, `wrongLength`, `wrongChecksum`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= IPv4Header.minimumLength else {
            throw WireError(.ipv4, .truncated, found: bytes.count, expected: IPv4Header.minimumLength)
        }
        // Guard: 20 bytes.
        let first = base.readUInt8(at: 0)
        guard first >> 4 == 4 else { throw WireError(.ipv4, .wrongVersion, found: Int(first >> 4), expected: 4) }
        let headerLength = Int(first & 0x0f) &* 4
        guard headerLength >= IPv4Header.minimumLength, headerLength <= bytes.count else {
            throw WireError(.ipv4, .wrongHeaderLength, found: headerLength, expected: min(60, bytes.count))
        }
        let length = Int(base.readUInt16(at: 2))
        guard length >= headerLength, length <= bytes.count else {
            throw WireError(.ipv4, .wrongLength, found: length, expected: bytes.count)
        }
        guard Checksum.isValidIPv4Header(base, length: headerLength) else {
            throw WireError(.ipv4, .wrongChecksum, found: Int(base.readUInt16(at: 10)))
        }
        self.base = base
        self.length = length
    }

    // Guard: 20 ≤ header length ≤ total length ≤ bytes, by the initializer.
    @inlinable public var headerLength: Int { Int(base.readUInt8(at: 0) & 0x0f) &* 4 }
    @inlinable public var trafficClass: UInt8 { base.readUInt8(at: 1) }
    @inlinable public var identification: UInt16 { base.readUInt16(at: 4) }
    @inlinable public var dontFragment: Bool { base.readUInt8(at: 6) & 0x40 != 0 }
    @inlinable public var moreFragments: Bool { base.readUInt8(at: 6) & 0x20 != 0 }
    /// In bytes, 0 … 65528.
    @inlinable public var fragmentOffset: Int { Int(base.readUInt16(at: 6) & 0x1fff) &* 8 }
    @inlinable public var timeToLive: UInt8 { base.readUInt8(at: 8) }
    @inlinable public var `protocol`: IPProtocol { IPProtocol(rawValue: base.readUInt8(at: 9)) }
    @inlinable public var source: IPv4Address { base.readIPv4(at: 12) }
    @inlinable public var destination: IPv4Address { base.readIPv4(at: 16) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headerLength, count: length &- headerLength)
    }
}

/// The header of an IPv4 packet; emitted without options.
@frozen
public struct IPv4Header: Hashable, Sendable {
    /// Bytes of a header without options.
    public static var minimumLength: Int { @inlinable get { 20 } }

    public var source: IPv4Address
    public var destination: IPv4Address
    public var `protocol`: IPProtocol
    public var timeToLive: UInt8
    /// DSCP and ECN.
    public var trafficClass: UInt8
    public var identification: UInt16
    public var dontFragment: Bool
    public var moreFragments: Bool
    /// In bytes, a multiple of 8.
    public var fragmentOffset: Int

    @inlinable
    public init(
        source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, timeToLive: UInt8 = 64,
        trafficClass: UInt8 = 0, identification: UInt16 = 0, dontFragment: Bool = true, moreFragments: Bool = false,
        fragmentOffset: Int = 0
    ) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.timeToLive = timeToLive
        self.trafficClass = trafficClass
        self.identification = identification
        self.dontFragment = dontFragment
        self.moreFragments = moreFragments
        self.fragmentOffset = fragmentOffset
    }

    @inlinable
    public init(_ view: borrowing IPv4View) {
        self.init(
            source: view.source, destination: view.destination, protocol: view.protocol, timeToLive: view.timeToLive,
            trafficClass: view.trafficClass, identification: view.identification, dontFragment: view.dontFragment,
            moreFragments: view.moreFragments, fragmentOffset: view.fragmentOffset)
    }

    /// Writes the header in front of `payloadLength` bytes, checksum included.
    /// - Returns: the header's bytes, 20; nil where header and payload do not fit into the buffer or into 65535 bytes,
    ///   or the fragment offset is not a multiple of 8 below 65536
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int) -> Int? {
        let length = Self.minimumLength &+ payloadLength
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff, buffer.count >= length,
            length <= 0xffff, fragmentOffset & 7 == 0, fragmentOffset >= 0, fragmentOffset <= 0xfff8
        else { return nil }
        base.write(0x4500 | UInt16(trafficClass), at: 0)
        base.write(UInt16(truncatingIfNeeded: length), at: 2)
        base.write(identification, at: 4)
        let flags: UInt16 = (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
        base.write(flags | UInt16(truncatingIfNeeded: fragmentOffset / 8), at: 6)
        base.write(timeToLive, at: 8)
        base.write(`protocol`.rawValue, at: 9)
        base.write(UInt16(0), at: 10)
        base.write(source, at: 12)
        base.write(destination, at: 16)
        let header = UnsafeRawBufferPointer(start: base, count: Self.minimumLength)
        base.write(Checksum.of(header), at: 10)
        return Self.minimumLength
    }
}

/// A borrowed GRE packet.
///
/// ```
///  0 C, zero, K, S (4 bits), zero (9 bits), version (3 bits) = 0 | 2 protocol type (2)
///  4 C: checksum (2), zero (2) | K: key (4) | S: sequence number (4) | payload
/// ```
/// Source: RFC 2784, 2; RFC 2890, 2
@frozen
public struct GREView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    public let length: Int
    public let headerLength: Int

    /// - Throws: `truncated`, `wrongVersion`, `forbiddenValue` for source routing and other bits that must be zero,
    ///   `wrongHeaderLength`, `wrongChecksum`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= GREHeader.minimumLength else {
            throw WireError(.gre, .truncated, found: bytes.count, expected: GREHeader.minimumLength)
        }
        // Guard: 4 bytes.
        let flags = base.readUInt16(at: 0)
        guard flags & 0x7 == 0 else { throw WireError(.gre, .wrongVersion, found: Int(flags & 0x7), expected: 0) }
        // A receiver must discard packets with any of bits 1, 4 and 5 set, and ignore 6 … 12. Source: RFC 2784, 2.3
        guard flags & 0x4c00 == 0 else { throw WireError(.gre, .forbiddenValue, found: Int(flags)) }
        let headerLength = GREHeader.length(flags: flags)
        guard headerLength <= bytes.count else {
            throw WireError(.gre, .wrongHeaderLength, found: headerLength, expected: bytes.count)
        }
        if flags & 0x8000 != 0, !Checksum.isValid(bytes) {
            throw WireError(.gre, .wrongChecksum, found: Int(base.readUInt16(at: 4)))
        }
        self.base = base
        self.headerLength = headerLength
        length = bytes.count
    }

    // Guard: 4 ≤ header length ≤ bytes, by the initializer.
    @inlinable var flags: UInt16 { base.readUInt16(at: 0) }
    @inlinable public var protocolType: EtherType { EtherType(rawValue: base.readUInt16(at: 2)) }
    @inlinable public var hasChecksum: Bool { flags & 0x8000 != 0 }
    @inlinable public var key: UInt32? {
        flags & 0x2000 != 0 ? base.readUInt32(at: hasChecksum ? 8 : 4) : nil
    }
    @inlinable public var sequence: UInt32? { flags & 0x1000 != 0 ? base.readUInt32(at: headerLength &- 4) : nil }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headerLength, count: length &- headerLength)
    }
}

/// The header of a GRE packet.
@frozen
public struct GREHeader: Hashable, Sendable {
    /// Bytes of a header without options.
    public static var minimumLength: Int { @inlinable get { 4 } }

    public var protocolType: EtherType
    public var hasChecksum: Bool
    public var key: UInt32?
    public var sequence: UInt32?

    @inlinable
    public init(protocolType: EtherType, hasChecksum: Bool = false, key: UInt32? = nil, sequence: UInt32? = nil) {
        self.protocolType = protocolType
        self.hasChecksum = hasChecksum
        self.key = key
        self.sequence = sequence
    }

    @inlinable
    public init(_ view: borrowing GREView) {
        self.init(
            protocolType: view.protocolType, hasChecksum: view.hasChecksum, key: view.key, sequence: view.sequence)
    }

    @inlinable var flags: UInt16 {
        (hasChecksum ? 0x8000 : 0) | (key == nil ? 0 : 0x2000) | (sequence == nil ? 0 : 0x1000)
    }

    @inlinable static func length(flags: UInt16) -> Int {
        minimumLength &+ (flags & 0x8000 != 0 ? 4 : 0) &+ (flags & 0x2000 != 0 ? 4 : 0) &+ (flags & 0x1000 != 0 ? 4 : 0)
    }

    /// Bytes of this header: 4, 8, 12 or 16.
    @inlinable public var length: Int { Self.length(flags: flags) }

    /// Writes the header in front of a payload that is in the buffer already, behind `length` bytes.
    /// - Returns: the header's bytes; nil where header and payload do not fit
    @inlinable
    public func emit(into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int) -> Int? {
        let length = length
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff,
            buffer.count >= length &+ payloadLength
        else { return nil }
        base.write(flags, at: 0)
        base.write(protocolType.rawValue, at: 2)
        var offset = Self.minimumLength
        if hasChecksum {
            base.write(UInt32(0), at: offset)
            offset &+= 4
        }
        if let key {
            base.write(key, at: offset)
            offset &+= 4
        }
        if let sequence { base.write(sequence, at: offset) }
        if hasChecksum {
            let packet = UnsafeRawBufferPointer(start: base, count: length &+ payloadLength)
            base.write(Checksum.of(packet), at: 4)
        }
        return length
    }
}

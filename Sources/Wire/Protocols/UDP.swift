/// A borrowed UDP datagram.
///
/// ```
///  0 source port (2) | 2 destination port (2) | 4 length (2) | 6 checksum (2), 0 for none | 8 payload
/// ```
/// Source: RFC 768
@frozen
public struct UDPView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    /// Header and payload.
    public let length: Int

    /// - Throws: `truncated`, `wrongLength`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= UDPHeader.length else {
            throw WireError(.udp, .truncated, found: bytes.count, expected: UDPHeader.length)
        }
        let length = Int(base.readUInt16(at: 4))
        guard length >= UDPHeader.length, length <= bytes.count else {
            throw WireError(.udp, .wrongLength, found: length, expected: bytes.count)
        }
        self.base = base
        self.length = length
    }

    // Guard: 8 ≤ length ≤ bytes, by the initializer.
    @inlinable public var sourcePort: UInt16 { base.readUInt16(at: 0) }
    @inlinable public var destinationPort: UInt16 { base.readUInt16(at: 2) }
    @inlinable public var checksum: UInt16 { base.readUInt16(at: 6) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + UDPHeader.length, count: length &- UDPHeader.length)
    }

    /// An absent checksum is a right one over IPv4.
    @inlinable public func isChecksumValid(source: IPv4Address, destination: IPv4Address) -> Bool {
        if checksum == 0 { return true }
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .udp, length: length)
        sum.add(base, count: length)
        return sum.value == 0
    }

    /// IPv6 forbids an absent checksum. Source: RFC 8200, 8.1
    @inlinable public func isChecksumValid(source: IPv6Address, destination: IPv6Address) -> Bool {
        if checksum == 0 { return false }
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .udp, length: length)
        sum.add(base, count: length)
        return sum.value == 0
    }
}

/// The header of a UDP datagram.
@frozen
public struct UDPHeader: Hashable, Sendable {
    public static var length: Int { @inlinable get { 8 } }

    public var sourcePort: UInt16
    public var destinationPort: UInt16

    @inlinable
    public init(sourcePort: UInt16, destinationPort: UInt16) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    @inlinable
    public init(_ view: borrowing UDPView) {
        self.init(sourcePort: view.sourcePort, destinationPort: view.destinationPort)
    }

    /// Writes the header in front of a payload that is in the buffer already, behind 8 bytes, checksum included.
    /// - Returns: the header's bytes, 8; nil where header and payload do not fit
    @inlinable
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, source: IPv4Address, destination: IPv4Address
    ) -> Int? {
        var sum = Checksum()
        sum.addPseudoHeader(
            source: source, destination: destination, protocol: .udp, length: Self.length &+ payloadLength)
        return emit(into: buffer, payloadLength: payloadLength, pseudoHeader: sum)
    }

    /// The same over IPv6.
    @inlinable
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, source: IPv6Address, destination: IPv6Address
    ) -> Int? {
        var sum = Checksum()
        sum.addPseudoHeader(
            source: source, destination: destination, protocol: .udp, length: Self.length &+ payloadLength)
        return emit(into: buffer, payloadLength: payloadLength, pseudoHeader: sum)
    }

    @inlinable
    func emit(into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, pseudoHeader: Checksum) -> Int? {
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff - Self.length,
            buffer.count >= Self.length &+ payloadLength
        else { return nil }
        let length = Self.length &+ payloadLength
        base.write(sourcePort, at: 0)
        base.write(destinationPort, at: 2)
        base.write(UInt16(truncatingIfNeeded: length), at: 4)
        base.write(UInt16(0), at: 6)
        var sum = pseudoHeader
        sum.add(UnsafeRawPointer(base), count: length)
        base.write(sum.valueForUDP, at: 6)
        return Self.length
    }
}

/// A borrowed TCP segment.
///
/// ```
///  0 source port (2) | 2 destination port (2) | 4 sequence (4) | 8 acknowledgement (4)
/// 12 header length (4 bits) | 13 flags | 14 window (2) | 16 checksum (2) | 18 urgent pointer (2)
/// 20 options | payload
/// ```
/// Source: RFC 9293, 3.1
@frozen
public struct TCPView: ~Escapable {
    @usableFromInline let base: UnsafeRawPointer
    /// Header and payload.
    public let length: Int

    /// - Throws: `truncated`, `wrongHeaderLength`
    @_lifetime(borrow bytes)
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let base = bytes.baseAddress, bytes.count >= TCPHeader.minimumLength else {
            throw WireError(.tcp, .truncated, found: bytes.count, expected: TCPHeader.minimumLength)
        }
        let headerLength = Int(base.readUInt8(at: 12) >> 4) &* 4
        guard headerLength >= TCPHeader.minimumLength, headerLength <= bytes.count else {
            throw WireError(.tcp, .wrongHeaderLength, found: headerLength, expected: min(60, bytes.count))
        }
        self.base = base
        length = bytes.count
    }

    // Guard: 20 ≤ header length ≤ bytes, by the initializer.
    @inlinable public var headerLength: Int { Int(base.readUInt8(at: 12) >> 4) &* 4 }
    @inlinable public var header: TCPHeader { TCPHeader(uncheckedBase: base, headerLength: headerLength) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headerLength, count: length &- headerLength)
    }

    @inlinable public func isChecksumValid(source: IPv4Address, destination: IPv4Address) -> Bool {
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: length)
        sum.add(base, count: length)
        return sum.value == 0
    }

    @inlinable public func isChecksumValid(source: IPv6Address, destination: IPv6Address) -> Bool {
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: length)
        sum.add(base, count: length)
        return sum.value == 0
    }
}

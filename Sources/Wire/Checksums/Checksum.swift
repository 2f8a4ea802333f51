/// The internet checksum: the one's complement of the one's complement sum of 16-bit words.
///
/// A value of this type is a sum in the making. Bytes may be added in pieces, each of even length but the last.
///
///     var checksum = Checksum()
///     checksum.addPseudoHeader(source: a, destination: b, protocol: .udp, length: n)
///     checksum.add(datagram)
///     checksum.value
///
/// Source: RFC 1071
@frozen
public struct Checksum: Sendable {
    /// The unfolded sum of words in host byte order. Sixty-four bits hold 2^32 words of 32 bits without a carry out,
    /// far more than any packet has.
    @usableFromInline var sum: UInt64

    @inlinable public init() { sum = 0 }

    /// The checksum of a piece of memory, ready to be written into its field (which counted as zero).
    @inlinable public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        var checksum = Checksum()
        checksum.add(bytes)
        return checksum.value
    }

    /// Whether memory that includes its checksum field sums to all ones.
    @inlinable public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool { of(bytes) == 0 }

    @inlinable public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

    /// Two words at once; folding makes one of 32 bits equal to its halves.
    @inlinable public mutating func add(_ word: UInt32) { sum &+= UInt64(word) }

    @inlinable public mutating func add(_ word: UInt64) {
        sum &+= (word >> 32) &+ (word & 0xffff_ffff)
    }

    @inlinable public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        add(base, count: bytes.count)
    }

    /// Adds memory; an odd last byte counts as the high half of a word.
    /// - Complexity: O(`count`), four bytes a step
    @inlinable
    public mutating func add(_ base: UnsafeRawPointer, count: Int) {
        // Summed as it lies in memory and swapped once at the end: the sum of swapped words is the swapped sum
        // (RFC 1071, 2B), and the swap belongs to the folded 16 bits.
        var native: UInt64 = 0
        var offset = 0
        while offset &+ 4 <= count {
            native &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if offset &+ 2 <= count {
            native &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        sum &+= UInt64(UInt16(bigEndian: Self.folded(native)))
        if offset < count { sum &+= UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) << 8 }
    }

    /// Source: RFC 768, RFC 9293, 3.1
    @inlinable
    public mutating func addPseudoHeader(
        source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, length: Int
    ) {
        add(source.rawValue)
        add(destination.rawValue)
        add(UInt32(`protocol`.rawValue))
        add(UInt32(truncatingIfNeeded: length))
    }

    /// Source: RFC 8200, 8.1
    @inlinable
    public mutating func addPseudoHeader(
        source: IPv6Address, destination: IPv6Address, protocol: IPProtocol, length: Int
    ) {
        add(source.high)
        add(source.low)
        add(destination.high)
        add(destination.low)
        add(UInt32(`protocol`.rawValue))
        add(UInt32(truncatingIfNeeded: length))
    }

    /// Whether an IPv4 header sums to all ones. Guard: the caller found `length` ≥ 20 bytes.
    ///
    /// Apart from `isValid`, because every frame passes here and nearly every header has no options.
    @inlinable static func isValidIPv4Header(_ base: UnsafeRawPointer, length: Int) -> Bool {
        let first = base.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        let second = base.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        var native = UInt64(base.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        native &+= (first >> 32) &+ (first & 0xffff_ffff)
        native &+= (second >> 32) &+ (second & 0xffff_ffff)
        var offset = 20
        while offset < length {
            native &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        return folded(native) == 0xffff  // All ones whatever the byte order.
    }

    /// The one's complement sum in 16 bits.
    @inlinable static func folded(_ sum: UInt64) -> UInt16 {
        var sum = (sum >> 32) &+ (sum & 0xffff_ffff)  // at most 33 bits
        sum = (sum >> 16) &+ (sum & 0xffff)  // at most 18
        sum = (sum >> 16) &+ (sum & 0xffff)  // at most 17
        sum = (sum >> 16) &+ (sum & 0xffff)
        return UInt16(truncatingIfNeeded: sum)
    }

    /// The complement of the sum: what the checksum field carries, and zero over memory that includes a right one.
    @inlinable public var value: UInt16 { ~Self.folded(sum) }

    /// The value for a UDP header, where zero means that there is no checksum: computed zero is sent as all ones.
    /// Source: RFC 768
    @inlinable public var valueForUDP: UInt16 { Self.forUDP(value) }

    @inlinable public static func forUDP(_ value: UInt16) -> UInt16 { value == 0 ? 0xffff : value }
}

/// What a rewrite of header words does to the checksums that cover them, so that a packet of any size is corrected
/// by its few changed words.
///
/// HC' = ~(~HC + ~m + m'). Source: RFC 1624, 3, equation 3; the older forms of RFC 1141 yield wrong zeros.
@frozen
public struct ChecksumChange: Sendable {
    /// The unfolded sum of ~m + m' for all words changed so far.
    @usableFromInline var sum: UInt64

    @inlinable public init() { sum = 0 }

    @inlinable public mutating func replace(_ old: UInt16, with new: UInt16) {
        sum &+= UInt64(~old) &+ UInt64(new)
    }

    @inlinable public mutating func replace(_ old: UInt32, with new: UInt32) {
        sum &+= UInt64(~old) &+ UInt64(new)
    }

    @inlinable public mutating func replace(_ old: UInt64, with new: UInt64) {
        replace(UInt32(truncatingIfNeeded: old >> 32), with: UInt32(truncatingIfNeeded: new >> 32))
        replace(UInt32(truncatingIfNeeded: old), with: UInt32(truncatingIfNeeded: new))
    }

    /// Further words, that the checksum covers too.
    @inlinable public mutating func add(_ other: ChecksumChange) { sum &+= other.sum }

    @inlinable public func applied(to checksum: UInt16) -> UInt16 {
        ~Checksum.folded(UInt64(~checksum) &+ sum)
    }

    /// As `applied(to:)` for a UDP header: an absent checksum stays absent, and a present one never becomes zero.
    @inlinable public func appliedToUDP(_ checksum: UInt16) -> UInt16 {
        checksum == 0 ? 0 : Checksum.forUDP(applied(to: checksum))
    }
}

extension Checksum {
    /// The checksum after one of its words changed. Source: RFC 1624
    @inlinable public static func update(_ checksum: UInt16, replacing old: UInt16, with new: UInt16) -> UInt16 {
        var change = ChecksumChange()
        change.replace(old, with: new)
        return change.applied(to: checksum)
    }

    /// The checksum after two of its adjacent words changed, an address for instance. Source: RFC 1624
    @inlinable public static func update(_ checksum: UInt16, replacing old: UInt32, with new: UInt32) -> UInt16 {
        var change = ChecksumChange()
        change.replace(old, with: new)
        return change.applied(to: checksum)
    }
}

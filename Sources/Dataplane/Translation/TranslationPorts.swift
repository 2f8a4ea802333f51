import Mutants

/// The source ports (for ICMP: query identifiers) of one address and protocol that translated flows may use: each is
/// given out once at a time.
///
/// Handed out in ascending order from a start of the owner's choice and around, so that a port that was given back is
/// used again as late as possible; the same start and requests give the same ports.
public struct TranslationPorts: ~Copyable {
    /// The ports of auto-map: below them are services, above them the host side's own connections.
    public static var autoMap: ClosedRange<UInt16> { 10240...32767 }

    public let range: ClosedRange<UInt16>
    /// Bits 0 … 63 of the first word are the 64 ports from here on, so that a port's low bits are its bit's number.
    private let base: Int
    /// One bit a port, set where it is taken; bits outside the range are set for good.
    @usableFromInline let taken: UnsafeMutablePointer<UInt64>
    private let words: Int
    /// Index, counted from `base`, where the next search begins.
    private var next: Int
    private var used = 0

    /// - Parameter start: any number; the first port is `start` modulo the size of the range
    public init(range: ClosedRange<UInt16> = Self.autoMap, start: UInt64 = 0) {
        self.range = range
        base = Int(range.lowerBound) & ~63
        words = (Int(range.upperBound) - base) / 64 + 1
        taken = .allocate(capacity: words)
        taken.initialize(repeating: 0, count: words)
        taken[0] |= (1 << (UInt64(range.lowerBound) & 63)) &- 1
        // Shifted by 64 for a range that ends with its word: `<<` then gives 0.
        taken[words - 1] |= UInt64.max << ((UInt64(range.upperBound) & 63) &+ 1)
        next = Int(range.lowerBound) - base + Int(start % UInt64(range.count))
    }

    @inlinable deinit { taken.deallocate() }

    /// Ports that are taken.
    public var count: Int { used }

    public func isTaken(_ port: UInt16) -> Bool {
        guard range.contains(port) else { return false }
        let index = Int(port) - base
        return taken[index / 64] & 1 << UInt64(index % 64) != 0
    }

    /// Takes the next free port; nil where all are taken.
    /// - Parameters:
    ///   - pattern: which of 64 ports in a row, the first a multiple of 64, may be taken; see `PortPattern`
    ///   - limits: which part of the range may be taken
    /// - Complexity: one step for each 64 ports that are taken in a row
    public mutating func take(_ pattern: PortPattern = .all, in limits: ClosedRange<UInt16>? = nil) -> UInt16? {
        let allowed = (limits ?? range).clamped(to: range)
        guard used < range.count, (limits ?? range).overlaps(range) else { return nil }
        let first = (Int(allowed.lowerBound) - base, Int(allowed.upperBound) - base)
        let start = next >= first.0 && next <= first.1 ? next : first.0
        guard
            let index = free(pattern, from: start, through: first.1)
                ?? (start > first.0 ? free(pattern, from: first.0, through: start - 1) : nil)
        else { return nil }
        if Mutant.isOn(.givesPortTwice) { return UInt16(base + index) }
        taken[index / 64] |= 1 << UInt64(index % 64)
        used += 1
        next = index == Int(range.upperBound) - base ? Int(range.lowerBound) - base : index + 1
        return UInt16(base + index)
    }

    /// The first free index of a stretch that fits the pattern.
    private func free(_ pattern: PortPattern, from first: Int, through last: Int) -> Int? {
        var word = first / 64
        var mask = UInt64.max << UInt64(first % 64)
        while word <= last / 64 {
            if word == last / 64 { mask &= UInt64.max >> UInt64(63 - last % 64) }
            let bits = ~taken[word] & pattern.bits & mask
            if bits != 0 { return word * 64 + bits.trailingZeroBitCount }
            mask = .max
            word += 1
        }
        return nil
    }

    /// Takes one port.
    /// - Returns: false where it is taken or outside the range
    public mutating func take(exactly port: UInt16) -> Bool {
        guard range.contains(port), !isTaken(port) else { return false }
        let index = Int(port) - base
        taken[index / 64] |= 1 << UInt64(index % 64)
        used += 1
        return true
    }

    /// Gives a port back; nothing happens where it was not taken.
    public mutating func release(_ port: UInt16) {
        if Mutant.isOn(.keepsPorts) { return }
        guard isTaken(port) else { return }
        let index = Int(port) - base
        taken[index / 64] &= ~(1 << UInt64(index % 64))
        used -= 1
    }
}

/// Which of 64 consecutive ports may be taken: bit n stands for the ports whose low six bits are n.
public struct PortPattern: Hashable, Sendable {
    public var bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    public static var all: PortPattern { PortPattern(bits: .max) }

    /// Even ports for an even one, odd ports for an odd one: RTP and RTCP pair them. Source: RFC 4787, REQ-4
    public static func parity(of port: UInt16) -> PortPattern {
        PortPattern(bits: port & 1 == 0 ? 0x5555_5555_5555_5555 : 0xaaaa_aaaa_aaaa_aaaa)
    }

    public static func & (a: PortPattern, b: PortPattern) -> PortPattern { PortPattern(bits: a.bits & b.bits) }

    public func allows(_ port: UInt16) -> Bool { bits & 1 << UInt64(port & 63) != 0 }
}

/// The source ports of one address and protocol that translated flows may use: each is given to one flow at a time.
///
/// Handed out in ascending order from a start of the owner's choice and around, so that a port that was given back is
/// used again as late as possible; the same start and requests give the same ports.
public struct TranslationPorts: ~Copyable {
    /// The ports of auto-map: below them are services, above them the host side's own connections.
    public static var autoMap: ClosedRange<UInt16> { 10240...32767 }

    public let range: ClosedRange<UInt16>
    /// One bit a port, set where it is taken; bits behind the range are set for good.
    private let taken: UnsafeMutablePointer<UInt64>
    private let words: Int
    private var next: Int
    private var used = 0

    /// - Parameter start: any number; the first port is `start` modulo the size of the range
    public init(range: ClosedRange<UInt16> = Self.autoMap, start: UInt64 = 0) {
        self.range = range
        words = (range.count + 63) / 64
        taken = .allocate(capacity: words)
        taken.initialize(repeating: 0, count: words)
        if range.count % 64 != 0 { taken[words - 1] = ~0 << UInt64(range.count % 64) }
        next = Int(start % UInt64(range.count))
    }

    deinit { taken.deallocate() }

    public var count: Int { used }

    /// Takes the next free port; nil where all are taken.
    /// - Complexity: one step for each 64 ports that are taken in a row
    public mutating func take() -> UInt16? {
        guard used < range.count else { return nil }
        var word = next / 64
        // Bits below `next` come last.
        var free = ~taken[word] & (~0 << UInt64(next % 64))
        while free == 0 {
            word = word + 1 == words ? 0 : word + 1
            free = ~taken[word]
        }
        let bit = free.trailingZeroBitCount
        taken[word] |= 1 << UInt64(bit)
        used += 1
        let index = word * 64 + bit
        next = index + 1 == range.count ? 0 : index + 1
        return range.lowerBound + UInt16(index)
    }

    /// Gives a port back; nothing happens where it was not taken.
    public mutating func release(_ port: UInt16) {
        guard range.contains(port) else { return }
        let index = Int(port - range.lowerBound)
        let bit: UInt64 = 1 << UInt64(index % 64)
        guard taken[index / 64] & bit != 0 else { return }
        taken[index / 64] &= ~bit
        used -= 1
    }
}

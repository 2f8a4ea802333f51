/// Consistent hashing after Maglev: a table with a prime number of slots in which every member has its share, and in
/// which a member that leaves or comes moves hardly any slot of the others.
///
/// The table depends on nothing but the members' identities and weights, so that every balancer with the same pool
/// sends the same client to the same member.
///
/// Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, 3.4
public struct Maglev: ~Copyable {
    /// Primes; the size is the first that is at least 100 × the members, which keeps shares within about 1 %.
    public static let sizes = [4093, 65_537, 655_373]

    public struct Member: Hashable, Sendable {
        /// Address, port: what stays the same on every balancer and over time.
        public var identity: UInt64
        /// 1 … 100; 0 for a member that takes no traffic.
        public var weight: Int

        public init(identity: UInt64, weight: Int) {
            self.identity = identity
            self.weight = weight
        }
    }

    public static let none = UInt16.max

    /// Slots of the table.
    public let size: Int
    @usableFromInline let slots: UnsafeMutablePointer<UInt16>
    /// Slots that the last `fill` gave to another member than the one before.
    public private(set) var movedSlots = 0

    /// - Parameter capacity: the most members that the pool will have, up or down; at most 6553. It alone decides the
    ///   table's size, so that a member that goes down does not change it.
    public init(capacity: Int) {
        precondition(capacity <= 6553, "a pool has at most 6553 members")
        size = Self.sizes.first { $0 >= capacity * 100 } ?? Self.sizes[Self.sizes.count - 1]
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Self.none, count: size)
    }

    deinit { slots.deallocate() }

    /// The place, in the order of `fill`, of the member for a hash; `none` where the table has no member.
    @inlinable
    public func member(for hash: UInt64) -> UInt16 {
        // The upper half scaled to 0 ..< size, in place of a division.
        let scaled = ((hash >> 32) &* UInt64(truncatingIfNeeded: size)) >> 32
        return slots[Int(truncatingIfNeeded: scaled)]
    }

    /// Builds the table anew.
    /// - Complexity: about `size` × ln(`size`) steps at worst; allocates
    public mutating func fill(_ members: [Member]) {
        let before = Array(UnsafeBufferPointer(start: slots, count: size))
        place(members)
        movedSlots = before.indices.reduce(0) { $0 + (before[$1] == slots[$1] ? 0 : 1) }
    }

    private func place(_ members: [Member]) {
        slots.update(repeating: Self.none, count: size)
        let heaviest = members.map(\.weight).max() ?? 0
        guard heaviest > 0 else { return }
        let modulus = UInt64(size)
        // Every member walks its own permutation of all slots: offset, offset + skip, offset + 2 · skip …
        var position = members.map { Self.mix($0.identity) % modulus }
        let skip = members.map { Self.mix($0.identity ^ 0x5851_F42D_4C95_7F2D) % (modulus - 1) + 1 }
        var credit = members.map { _ in 0 }
        var filled = 0
        while true {
            for index in members.indices {
                // A member of half the heaviest weight has every second turn.
                credit[index] += members[index].weight
                guard credit[index] >= heaviest else { continue }
                credit[index] -= heaviest
                while slots[Int(position[index])] != Self.none {
                    position[index] = (position[index] + skip[index]) % modulus
                }
                slots[Int(position[index])] = UInt16(index)
                filled += 1
                if filled == size { return }
            }
        }
    }

    /// The finaliser of SplitMix64: every bit of the result depends on every bit of the input.
    @inlinable
    public static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

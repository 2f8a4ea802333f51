import Mutants

/// Weighted round robin that spreads a heavy member's turns instead of giving them in a row: weights 5, 1, 1 give
/// a a b a c a a.
///
/// At each choice every member gains its weight; the one with most is chosen and pays the sum of all.
public struct SmoothRoundRobin: ~Copyable {
    public let capacity: Int
    private let weights: UnsafeMutablePointer<Int32>
    private let credits: UnsafeMutablePointer<Int32>
    private var total: Int32 = 0

    /// - Parameter capacity: members, at most 6553
    public init(capacity: Int) {
        precondition(capacity >= 0 && capacity <= 6553)
        self.capacity = capacity
        weights = .allocate(capacity: max(1, capacity))
        credits = .allocate(capacity: max(1, capacity))
        weights.initialize(repeating: 0, count: max(1, capacity))
        credits.initialize(repeating: 0, count: max(1, capacity))
    }

    deinit {
        weights.deallocate()
        credits.deallocate()
    }

    /// Sets a member's share; 0 takes it out. All start afresh, so that nobody has to work off an old debt.
    /// - Precondition: `member < capacity`, `weight` 0 … 100
    public mutating func setWeight(_ weight: Int, of member: Int) {
        precondition(member >= 0 && member < capacity && weight >= 0 && weight <= 100)
        weights[member] = Int32(weight)
        total = 0
        for index in 0..<capacity {
            credits[index] = 0
            total += weights[index]
        }
    }

    /// The member whose turn it is; nil where none has a weight.
    /// - Complexity: O(members)
    public mutating func next() -> Int? {
        guard total > 0 else { return nil }
        if Mutant.isOn(.roundRobinTakesFirst) { return (0..<capacity).first { weights[$0] > 0 } }
        var best = -1
        for index in 0..<capacity where weights[index] > 0 {
            credits[index] &+= weights[index]
            if best < 0 || credits[index] > credits[best] { best = index }
        }
        credits[best] &-= total
        return best
    }
}

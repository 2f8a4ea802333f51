internal import func Glibc.cos
internal import func Glibc.log
internal import func Glibc.pow

/// The randomness of one rule: SplitMix64 (Steele, Lea and Flood 2014), seeded with the rule's seed and name, so that a
/// further rule on a cable changes nothing for the others.
struct RandomSource {
    private var state: UInt64

    init(seed: UInt64, name: String) {
        // FNV-1a: Swift's own hash differs from run to run.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        state = seed &* 0x9e37_79b9_7f4a_7c15 ^ hash
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 0 … 1, without 1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// - Precondition: `bound` > 0
    mutating func number(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    mutating func sample(_ distribution: DelayDistribution) -> Duration {
        let nanoseconds: Double
        switch distribution {
        case .fixed(let time): return min(max(time, .zero), DelayDistribution.longest)
        case .uniform(let from, let to):
            nanoseconds = from.inNanoseconds + fraction() * (to.inNanoseconds - from.inNanoseconds)
        case .normal(let mean, let deviation):
            // Box–Muller; 1 − x because the logarithm of zero is none.
            let (radius, angle) = ((-2 * log(1 - fraction())).squareRoot(), 2 * Double.pi * fraction())
            nanoseconds = mean.inNanoseconds + deviation.inNanoseconds * radius * cos(angle)
        case .exponential(let mean): nanoseconds = -mean.inNanoseconds * log(1 - fraction())
        case .pareto(let minimum, let shape): nanoseconds = minimum.inNanoseconds * pow(1 - fraction(), -1 / shape)
        }
        // Also false for what is no number.
        guard nanoseconds > 0 else { return .zero }
        return .nanoseconds(Int64(min(nanoseconds, DelayDistribution.longest.inNanoseconds)))
    }
}

extension Duration {
    fileprivate var inNanoseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e9 + Double(attoseconds) / 1e9
    }
}

/// How many of n flows fail where each fails by itself with one probability: a count that is likely.
public struct RandomLoss: Hashable, Sendable, Codable {
    /// The probability with which one flow fails, above 0 and below 1.
    public var share: Double
    /// The probability with which the count lies within the range that is allowed.
    public var confidence: Double

    public init(share: Double, confidence: Double) {
        self.share = share
        self.confidence = confidence
    }

    /// The counts that lie neither in the lower nor in the upper tail of the binomial distribution, where each tail
    /// has at most half of what the confidence leaves. The counts 0 and n are among them only where randomness alone
    /// explains them.
    ///
    /// Weights are taken from the likeliest count outwards, each from its neighbour:
    /// w(k+1) = w(k) · (n−k)/(k+1) · p/(1−p), so that nothing over- or underflows.
    /// - Complexity: O(n)
    public func range(of count: Int) -> ClosedRange<Int> {
        guard count > 0, share > 0, share < 1 else { return 0...max(0, count) }
        let mode = min(count, Int(Double(count + 1) * share))
        let odds = share / (1 - share)
        var weights = [Double](repeating: 0, count: count + 1)
        weights[mode] = 1
        var k = mode
        while k < count, weights[k] > 1e-30 {
            weights[k + 1] = weights[k] * Double(count - k) / Double(k + 1) * odds
            k += 1
        }
        k = mode
        while k > 0, weights[k] > 1e-30 {
            weights[k - 1] = weights[k] * Double(k) / Double(count - k + 1) / odds
            k -= 1
        }
        let tail = weights.reduce(0, +) * (1 - confidence) / 2
        var (low, high) = (0, count)
        var sum = weights[low]
        while low < mode, sum <= tail {
            low += 1
            sum += weights[low]
        }
        sum = weights[high]
        while high > mode, sum <= tail {
            high -= 1
            sum += weights[high]
        }
        return low...high
    }
}

extension RandomLoss {
    /// `50 %`
    static func percent(_ share: Double) -> String {
        let tenThousandths = Int((share * 1_000_000).rounded())
        var digits = "\(tenThousandths % 10_000)"
        digits = String(repeating: "0", count: 4 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(tenThousandths / 10_000)" + (digits.isEmpty ? "" : ".\(digits)") + " %"
    }
}

/// Compares both ends of a cable, frame by frame.
///
/// The kernel stamps a frame at the end that sends it and a moment later at the other; of two frames in opposite
/// directions the ends may see either first. So frames are matched by their bytes, the first of the same bytes with the
/// first, and the order is not compared.
struct CableComparison {
    /// Frame numbers from 0.
    private(set) var onlyNear: [Int] = []
    private(set) var onlyFar: [Int] = []
    /// By frame of the near end: whether it was sent there; nil for a frame without a match.
    private(set) var isSentAtNear: [Bool?]
    /// The least time between both ends, over all frames; nil where none was matched.
    private(set) var leastDelay: Int64?
    private(set) var matched = 0
    /// Frames of the near station that were seen at the far end first, and by how much at most; and of the far station.
    private(set) var nearTooLate: (count: Int, most: Int64, of: Int) = (0, 0, 0)
    private(set) var farTooLate: (count: Int, most: Int64, of: Int) = (0, 0, 0)

    /// - Complexity: O(n) expected
    init(
        near: [FrameSample], far: [FrameSample], nearAddress: UInt64?, farAddress: UInt64?
    ) {
        isSentAtNear = [Bool?](repeating: nil, count: near.count)
        var waitingNear: [UInt64: [Int]] = [:]
        var waitingFar: [UInt64: [Int]] = [:]
        var (i, j) = (0, 0)
        while i < near.count || j < far.count {
            if i < near.count, j < far.count, near[i].hash == far[j].hash, waitingNear.isEmpty, waitingFar.isEmpty {
                match(i, j, near[i], far[j], nearAddress, farAddress)
                i += 1
                j += 1
            } else if j >= far.count || i < near.count && near[i].time <= far[j].time {
                if let other = Self.take(near[i].hash, from: &waitingFar) {
                    match(i, other, near[i], far[other], nearAddress, farAddress)
                } else {
                    waitingNear[near[i].hash, default: []].append(i)
                }
                i += 1
            } else {
                if let other = Self.take(far[j].hash, from: &waitingNear) {
                    match(other, j, near[other], far[j], nearAddress, farAddress)
                } else {
                    waitingFar[far[j].hash, default: []].append(j)
                }
                j += 1
            }
        }
        onlyNear = waitingNear.values.flatMap(\.self).sorted()
        onlyFar = waitingFar.values.flatMap(\.self).sorted()
    }

    private static func take(_ hash: UInt64, from waiting: inout [UInt64: [Int]]) -> Int? {
        guard var numbers = waiting[hash] else { return nil }
        let first = numbers.removeFirst()
        waiting[hash] = numbers.isEmpty ? nil : numbers
        return first
    }

    private mutating func match(
        _ number: Int, _ other: Int, _ near: FrameSample, _ far: FrameSample, _ nearAddress: UInt64?,
        _ farAddress: UInt64?
    ) {
        matched += 1
        let delay = far.time - near.time
        isSentAtNear[number] = delay >= 0
        leastDelay = min(leastDelay ?? .max, abs(delay))
        if near.source == nearAddress {
            nearTooLate.of += 1
            guard delay < 0 else { return }
            nearTooLate = (nearTooLate.count + 1, max(nearTooLate.most, -delay), nearTooLate.of)
        } else if near.source == farAddress {
            farTooLate.of += 1
            guard delay > 0 else { return }
            farTooLate = (farTooLate.count + 1, max(farTooLate.most, delay), farTooLate.of)
        }
    }
}

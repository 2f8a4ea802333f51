internal import Evidence
internal import LabTime

/// Findings from the comparison of a cable's ends.
struct CableFindings {
    /// A shift that no scheduling explains, by the number of frames that agree on it.
    private static func bound(for matched: Int) -> Int64 {
        matched < 3 ? .max : matched < 20 ? 500_000_000 : 50_000_000
    }
    /// Stamps of one frame at both ends come from one clock; below it is the kernel's own disorder.
    private static let disorder: Int64 = 1_000_000
    /// A packet that is repeated within this time was sent twice; later its identification may have wrapped.
    private static let again: Int64 = 1_000_000_000

    let cable: LabStations.Cable
    let near: ExaminedCapture
    let far: ExaminedCapture
    let play: ClosedRange<Timestamp>?
    let mayDuplicate: Bool

    func findings(_ comparison: CableComparison) -> [IntegrityFinding] {
        missing(comparison.onlyNear, of: near, at: far) + missing(comparison.onlyFar, of: far, at: near)
            + clock(comparison) + (mayDuplicate ? [] : doubled(comparison))
    }

    /// Packets that passed the cable twice. At the end that sends, the kernel captures a frame twice that it could not
    /// transmit at once, as when the link goes down: so both must have arrived.
    private func doubled(_ comparison: CableComparison) -> [IntegrityFinding] {
        let samples = near.samples
        var last: [UInt64: Int] = [:]
        var again: [(number: Int, first: Int)] = []
        for (number, sample) in samples.enumerated()
        where sample.isUnique && comparison.isSentAtNear[number] != nil {
            if let first = last.updateValue(number, forKey: sample.hash),
                abs(sample.time - samples[first].time) < Self.again
            {
                again.append((number, first))
            }
        }
        guard let first = again.first else { return [] }
        return [
            IntegrityFinding(
                .doubled, "this packet passed twice: it repeats frame \(first.first + 1)", file: near.summary.path,
                frame: first.number + 1, count: again.count)
        ]
    }

    private func missing(
        _ numbers: [Int], of capture: ExaminedCapture, at other: ExaminedCapture
    ) -> [IntegrityFinding] {
        let unexplained = numbers.filter { !isExplained(capture.samples[$0].time) }
        guard let first = unexplained.first else { return [] }
        return [
            IntegrityFinding(
                .cable, "\(other.summary.path), the other end of the cable, does not have this frame",
                file: capture.summary.path, frame: first + 1, count: unexplained.count)
        ]
    }

    private func isExplained(_ time: Int64) -> Bool {
        let time = Timestamp(nanoseconds: time)
        guard let play, play.contains(time) else { return true }
        return cable.downTimes.contains { $0.contains(time) }
    }

    private func clock(_ comparison: CableComparison) -> [IntegrityFinding] {
        func finding(_ nanoseconds: Int64, _ count: Int) -> [IntegrityFinding] {
            [
                IntegrityFinding(
                    .clock,
                    "its clock differs from that of \(far.summary.path), the other end of the cable, by at least \(nanoseconds / 1000) µs",
                    file: near.summary.path, count: count)
            ]
        }
        if let delay = comparison.leastDelay, delay > Self.bound(for: comparison.matched) {
            return finding(delay, comparison.matched)
        }
        // A frame cannot arrive before it was sent.
        for early in [comparison.nearTooLate, comparison.farTooLate]
        where early.most > Self.disorder || early.count > 2 && early.count * 2 > early.of {
            return finding(early.most, early.count)
        }
        return []
    }
}

internal import Evidence
internal import LabTime

/// When frames were lost, from repeated readings of the kernel's count of dropped frames: an interval in which the
/// count grew lost frames, any other lost none.
struct LossLedger {
    /// The kernel stamps a frame a moment before it counts it as dropped.
    static let slack = Duration.milliseconds(10)
    /// Beyond these the last one grows.
    static let mostLosses = 1000

    private(set) var losses: [CaptureLoss] = []
    private var count = 0
    /// The last successful reading.
    private var since: Timestamp

    /// - Parameter start: when the count was 0
    init(start: Timestamp) { since = start }

    var dropped: Int { count }

    /// - Parameters:
    ///   - dropped: the kernel's count; nil where it gave none, and the interval then goes on
    ///   - asked: before the reading
    ///   - answered: after it
    mutating func note(_ dropped: Int?, asked: Timestamp, answered: Timestamp) {
        guard let dropped else { return }
        if dropped > count { add(CaptureLoss(from: since - Self.slack, to: answered, frames: dropped - count)) }
        count = max(count, dropped)
        since = asked
    }

    /// The last reading. Without a count, losses since the previous one are unknown.
    mutating func close(_ dropped: Int?, asked: Timestamp, answered: Timestamp) {
        note(dropped, asked: asked, answered: answered)
        if dropped == nil { losses.append(CaptureLoss(from: since - Self.slack, to: answered, frames: nil)) }
    }

    /// Adjacent intervals are one.
    private mutating func add(_ loss: CaptureLoss) {
        guard let last = losses.last, last.to >= loss.from || losses.count >= Self.mostLosses else {
            losses.append(loss)
            return
        }
        losses[losses.count - 1] = CaptureLoss(
            from: last.from, to: loss.to, frames: (last.frames ?? 0) + (loss.frames ?? 0))
    }
}

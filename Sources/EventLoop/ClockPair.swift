public import LabTime

/// One point of both clocks, to convert monotonic instants to wall-clock times of the run.
///
/// A process that lost the processor between the two readings would shift all its times by that interval,
/// and its events would be in the wrong order among those of other nodes. So the wall clock is read between two
/// readings of the monotonic one, and the tightest of several tries counts.
public struct ClockPair {
    private let monotonic: Instant
    private let wall: Timestamp

    private static let tries = 20
    private static let closeEnough = Duration.microseconds(1)

    public init(monotonic read: () -> Instant = { .monotonic() }, wall readWall: () -> Timestamp = { .now() }) {
        var best: (before: Instant, wall: Timestamp, width: Duration)?
        for _ in 0..<Self.tries {
            let before = read()
            let wall = readWall()
            let width = read() - before
            if best.map({ width < $0.width }) ?? true { best = (before, wall, width) }
            if width <= Self.closeEnough { break }
        }
        // At least one try was made.
        monotonic = best!.before + best!.width / 2
        wall = best!.wall
    }

    public func time(of instant: Instant) -> Timestamp { wall + (instant - monotonic) }
}

internal import EventLoop
internal import LabTime

/// Detects that the wall clock was stepped during a run: its frames and events would then be on two clocks.
///
/// Both clocks of the kernel are slewed equally, so that only a step separates them. (`settimeofday`, `adjtimex` with
/// an offset at once, a machine that was suspended: `CLOCK_MONOTONIC` stands still meanwhile.)
struct ClockWatch {
    /// Clocks are read one after the other; a process that had to wait between them learns nothing.
    private static let longestReading = Duration.microseconds(200)

    private var difference: Int64?
    /// How far the wall clock was set at most, forwards or backwards.
    private(set) var largestStep = Duration.zero

    init() { look() }

    mutating func look() {
        guard let now = Self.read() else { return }
        guard let difference else { return difference = now }
        let step = Duration.nanoseconds(now &- difference)
        if step.magnitude > largestStep.magnitude { largestStep = step }
    }

    private static func read() -> Int64? {
        for _ in 0..<8 {
            let before = Instant.monotonic()
            let wall = Timestamp.now()
            let after = Instant.monotonic()
            if after - before <= longestReading {
                return wall.nanoseconds &- before.nanoseconds
            }
        }
        return nil
    }
}

extension Duration {
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}

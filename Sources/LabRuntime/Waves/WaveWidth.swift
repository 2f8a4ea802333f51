internal import EventLoop
internal import LabTime

/// How many labs run in parallel.
public struct WaveWidth: Sendable {
    /// A process that waits longer than this for its processor has missed what it should have done.
    private static let tooLate = Duration.milliseconds(30)

    /// The next wave's width.
    public private(set) var now: Int
    /// nil where the number was given.
    private let most: Int?
    private var longestDelay = Duration.zero

    public static func fixed(_ count: Int) -> WaveWidth { WaveWidth(now: max(1, count), most: nil) }

    /// Three per core where the machine is idle, fewer where others use it; then by how late the labs' processes run:
    /// twice as many where all ran on time, half as many where one ran too late. A first wave that is too wide for the
    /// machine costs more than a narrow one: what was inconclusive runs again, one lab at a time.
    /// - Parameter others: how many processes of others are ready to run, on average
    public static func adaptive(cores: Int, others: Double) -> WaveWidth {
        let share = Double(cores) / (Double(cores) + max(0, others))
        let first = Int((Double(cores * 3) * share).rounded(.down))
        return WaveWidth(now: max(1, first), most: max(1, cores * 8))
    }

    private init(now: Int, most: Int?) {
        self.now = now
        self.most = most
    }

    public mutating func begins() { longestDelay = .zero }

    /// For how long a process of one of the wave's labs was kept from running.
    public mutating func saw(_ delay: Duration) { longestDelay = max(longestDelay, delay) }

    public mutating func ends() {
        guard let most else { return }
        if longestDelay >= Self.tooLate {
            now = max(1, now / 2)
        } else if longestDelay < DelayWatch.bound {
            now = min(most, now * 2)
        }
    }
}

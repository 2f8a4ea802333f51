internal import EventLoop
internal import LabTime

/// How many labs run beside each other.
public struct WaveWidth: Sendable {
    /// A process that waits longer than this for its processor has missed what it should have done.
    private static let tooLate = Duration.milliseconds(30)

    /// The next wave's width.
    public private(set) var now: Int
    /// nil where a person has said how many.
    private let most: Int?
    private var longestDelay = Duration.zero

    public static func fixed(_ count: Int) -> WaveWidth { WaveWidth(now: max(1, count), most: nil) }

    /// As many as the machine can run: six a core where it is idle, fewer where others use it; then by how late the
    /// labs' processes run.
    /// - Parameter others: how many processes of others are ready to run, on average
    public static func adaptive(cores: Int, others: Double) -> WaveWidth {
        let share = Double(cores) / (Double(cores) + max(0, others))
        let first = Int((Double(cores * 6) * share).rounded(.down))
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
            now = min(most, now + max(1, now / 4))
        }
    }
}

public import LabTime
import Mutants

/// The two intervals that a Backup derives from the Active's advertisement interval.
/// Source: RFC 9568, 6.1
public enum VirtualRouterTimers {
    /// Skew_Time: (256 − priority) × interval / 256. The higher the priority, the shorter the wait, so that the best
    /// Backup moves first.
    public static func skew(priority: UInt8, interval: Duration) -> Duration {
        .nanoseconds((256 - Int64(priority)) * interval.nanoseconds / 256)
    }

    /// Active_Down_Interval: 3 × interval + skew.
    public static func activeDown(priority: UInt8, interval: Duration) -> Duration {
        let late: Duration = Mutant.isOn(.takesOverLate) ? .milliseconds(250) : .zero
        return interval * 3 + skew(priority: priority, interval: interval) + late
    }

    /// Silence after which the next advertisement is overdue: the interval, and the skew as a margin, at least a quarter.
    /// Not of the RFC: a Backup that has another sign of the Active's death need not wait for three.
    public static func overdue(priority: UInt8, interval: Duration) -> Duration {
        interval + max(interval / 4, skew(priority: priority, interval: interval))
    }
}

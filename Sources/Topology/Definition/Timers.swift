import Configuration
import Dataplane
import LabTime
import Wire

/// What the timers are that a lab does not set: quick ones, so that a lab takes seconds, or a vendor's own.
public enum Timers: String, Hashable, Sendable, Codable, CaseIterable {
    case quick
    case vendor

    /// Vendor: RFC 9568's default of one second.
    var advertisementInterval: Duration { self == .quick ? .milliseconds(100) : .seconds(1) }
    /// Vendor: one second, three misses, as chassis clusters have it.
    var heartbeatInterval: Duration { self == .quick ? .milliseconds(50) : .seconds(1) }
    var heartbeatMisses: Int { 3 }
    /// Vendor: Junos (`startup-silent-period`). Quick: a box of a pair that is built on a busy machine has started by then.
    var startupSilentPeriod: Duration { self == .quick ? .seconds(2) : .seconds(4) }

    /// Vendor: the balancer's system monitors (10 s, 4 s, two of each).
    func monitor(_ kind: MonitorConfiguration.Kind) -> MonitorConfiguration {
        switch self {
        case .quick:
            MonitorConfiguration(
                kind: kind, interval: .milliseconds(200), timeout: .milliseconds(500), fall: 3, rise: 2)
        case .vendor:
            MonitorConfiguration(kind: kind, interval: .seconds(10), timeout: .seconds(4), fall: 2, rise: 2)
        }
    }

    /// Quick: a tenth of the profile's own, so that all relations between them stay.
    func states(_ profile: StateProfile) -> StateTimers {
        self == .vendor ? profile.timers : profile.timers.scaled(downBy: 10)
    }

    /// Vendor: the balancer's system profiles (TCP fast path 300 s, UDP fast path 10 s).
    func idleTimeout(_ profile: ServiceProfile) -> Duration {
        switch self {
        case .quick: .seconds(60)
        case .vendor: profile.transport == .tcp ? .seconds(300) : .seconds(10)
        }
    }
}

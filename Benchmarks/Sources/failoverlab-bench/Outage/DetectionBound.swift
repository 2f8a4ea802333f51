internal import Configuration
internal import Redundancy
internal import Topology

/// The longest time, by the configured timers, from a box's last heartbeat until its Backup takes the role.
struct DetectionBound {
    let longest: Duration
    /// How it comes about, for people.
    let words: String

    /// nil where the live box hands over on request, or has no peer on a cross-connect: nothing is to be detected.
    init?(of variant: Variant) {
        let isSudden = variant.scenario.contains { if case .fail(.powerOff, as: _) = $0 { true } else { false } }
        let pairs = variant.nodes.compactMap { node -> RedundancyConfiguration? in
            guard case .firewall(let box) = node.role, box.redundancy?.crossConnect != nil else { return nil }
            return box.redundancy
        }
        guard isSudden, let standby = pairs.min(by: { $0.priority < $1.priority }) else { return nil }
        let heartbeat = HeartbeatSettings(interval: standby.heartbeatInterval, misses: standby.heartbeatMisses)
        longest = max(
            heartbeat.bound + heartbeat.grace,
            VirtualRouterTimers.overdue(priority: standby.priority, interval: standby.advertisementInterval))
        words =
            "\(heartbeat.misses) heartbeats of \(heartbeat.interval.inMilliseconds) ms and "
            + "\(heartbeat.grace.inMilliseconds) ms for a living Active, advertisements every "
            + "\(standby.advertisementInterval.inMilliseconds) ms"
    }
}

extension Duration {
    /// With at most two digits behind the point.
    var inMilliseconds: String {
        let hundredths = Int((self / .microseconds(10)).rounded())
        let rest = hundredths % 100
        return rest == 0 ? "\(hundredths / 100)" : "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

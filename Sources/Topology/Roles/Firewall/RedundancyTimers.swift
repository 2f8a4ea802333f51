import Configuration
import LabFile
import LabTime

/// Timers of a pair by the name of who ships them so. What the lab sets itself counts before them.
enum RedundancyTimers: String, CaseIterable {
    /// RFC 9568: an advertisement a second, and the addresses announced once.
    case vrrpDefault = "vrrp-default"
    /// keepalived: as the RFC, and five announcements at once and five more after five seconds.
    case keepalived
    /// FortiOS: a heartbeat every 200 ms, six lost ones are a failure (`hb-interval` 2, `hb-lost-threshold` 6).
    case fortigate
    /// Junos chassis cluster: a heartbeat a second, three lost ones are a failure.
    case juniper

    /// nil where they are no part of it: then the lab's own timers count.
    var advertisementInterval: Duration? {
        switch self {
        case .vrrpDefault, .keepalived: .seconds(1)
        // Their boxes do without VRRP between them; the advertisements must not decide before the heartbeat.
        case .fortigate, .juniper: .seconds(1)
        }
    }

    var heartbeat: (interval: Duration, misses: Int)? {
        switch self {
        case .vrrpDefault, .keepalived: nil
        case .fortigate: (.milliseconds(200), 6)
        case .juniper: (.seconds(1), 3)
        }
    }

    var startupSilentPeriod: Duration? {
        switch self {
        // keepalived has `vrrp_startup_delay`, none by default.
        case .vrrpDefault, .keepalived: .zero
        case .fortigate: nil
        case .juniper: .seconds(4)
        }
    }

    var announcements: AnnouncementSchedule {
        switch self {
        case .vrrpDefault: .once
        case .keepalived: .keepalived
        case .fortigate, .juniper: .persistent
        }
    }
}

/// Whether a box of higher priority takes the role back.
enum Preemption: Equatable {
    case off, on
    /// Without waiting for the pair's sessions: the symptom.
    case empty

    init?(_ mapping: MappingReader, _ key: String) {
        guard let value = mapping[key] else { return nil }
        switch value.text?.lowercased() {
        case "on", "true", "yes": self = .on
        case "off", "false", "no": self = .off
        case "empty": self = .empty
        default:
            mapping.reader.report(
                "'\(key)' of \(mapping.what) is \(value.found)", at: value.position, allowed: ["on", "off", "empty"])
            return nil
        }
    }
}

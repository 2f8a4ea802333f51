import Configuration
import LabTime
import Wire

/// Two firewalls that share virtual addresses, with everything that counts for both.
struct Pair {
    struct Member {
        var name: String
        var priority: UInt8
        /// The port of the cross-connect.
        var crossConnect: String?
        var key: String?
        /// nil where the lab tracks nothing by itself.
        var tracked: [TrackedLink]?
    }

    struct VirtualRouter {
        var network: String
        var id: UInt8
        var addresses: [IPv4Address]
        /// The port on each member, in the members' order.
        var ports: [String]
    }

    /// Two, in the order of the file.
    var members: [Member]
    var preemption: Preemption
    var usesVirtualMAC: Bool
    var advertisementInterval: Duration
    var heartbeatInterval: Duration
    var heartbeatMisses: Int
    var startupSilentPeriod: Duration
    var routers: [VirtualRouter]
    var announcements: AnnouncementSchedule
    var deferral: Duration?
    var conduit: ConduitConfiguration?

    func index(of node: String) -> Int? { members.firstIndex { $0.name == node } }
}

import Configuration
import Expectation
import Impairment
import LabFile
import Measurement

/// The names that `after`, `wait-for` and `event` may use: the scenario's own, `<node>.<kind>`,
/// `<traffic>.start`, `.answered` and `.stop`, and `<fault>.<kind>`.
struct EventNames {
    /// What a node of each role reports, besides `ready`, with which no scenario begins to wait.
    static let firewallKinds = [
        "active", "backup", "switchover", "peer-up", "peer-down", "cross-connect-down", "dual-active",
        "dual-active-over", "sync-complete", "push-done", "push-refused", "push-incomplete", "push-blocked",
        "configuration-differs",
        "sync-refused", "sync-stranger", "sync-rule-unknown", "sync-pool-unknown", "nat-pool-exhausted",
        "nat-address-released", "pinhole-opened", "pinhole-used", "pinhole-refused",
    ]
    static let balancerKinds = [
        "member-up", "member-down", "member-weight", "http-502", "http-503", "http-504", "tls-failed",
    ]
    static let gatewayFirewallKinds = [
        "state-created", "state-closing-closed", "state-expired", "state-closing-closed-expired", "state-refused",
        "state-table-full",
    ]

    /// Of boxes, and of hosts with programs: what a routing daemon does to the kernel's routes.
    static let routeKinds = ["route-added", "route-changed", "route-removed"]
    /// Details that events of a kind have, or may have; of kinds that are not here nothing is said.
    private static let detailsOfNodes: [String: [String]] = {
        let ofStates = ["connection", "flow", "state", "interface", "timer", "from", "to", "packet", "action"]
        let ofRequests = [
            "service", "client", "request", "reason", "member", "snat-address", "snat-port", "server-time", "left-out",
        ]
        let ofMembers = ["service", "member", "address", "members-up", "sessions-removed"]
        let table = [
            (gatewayFirewallKinds.filter { $0 != "state-table-full" }, ofStates),
            (["state-table-full"], ["flow", "states"]),
            (["pinhole-opened", "pinhole-used"], ["flow", "control"]), (["pinhole-refused"], ["reason", "control"]),
            (["http-502", "http-503", "http-504"], ofRequests), (["member-up", "member-down"], ofMembers),
        ]
        return Dictionary(uniqueKeysWithValues: table.flatMap { kinds, details in kinds.map { ($0, details) } })
    }()
    private static let detailsOfFaults = [
        "rule", "frame", "from", "source", "source-port", "destination", "destination-port", "by", "copies", "copy",
        "byte", "bit", "checksums", "behind", "reason", "lost", "events",
    ]

    var names: [String]
    private var known: [String: [String]] = [:]
    private var reporters: [String: String] = [:]

    init(
        nodes: [Node], faults: [String], rules: [(element: String, rule: FaultRule)] = [], traffic: [String] = []
    ) {
        names = [Anchor.scenarioBegin] + faults
        names += traffic.flatMap { ["\($0).start", "\($0).answered", "\($0).stop"] }
        for (element, rule) in rules {
            for kind in rule.action.eventKinds {
                names.append("\(rule.name).\(kind.rawValue)")
                known["\(rule.name).\(kind.rawValue)"] = Self.detailsOfFaults
                reporters["\(rule.name).\(kind.rawValue)"] = element
            }
        }
        for node in nodes {
            let kinds =
                switch node.role {
                case .host(let host):
                    (host.trackedRoutes.isEmpty ? [] : ["route-moved"]) + (node.programs.isEmpty ? [] : Self.routeKinds)
                case .element: [String]()
                case .firewall: ["ready"] + Self.firewallKinds
                case .loadBalancer: ["ready"] + Self.balancerKinds
                case .gatewayFirewall: ["ready"] + Self.gatewayFirewallKinds
                }
            for kind in kinds + (node.isBox ? Self.routeKinds : [])
            where !names.contains("\(node.name).\(kind)") {
                names.append("\(node.name).\(kind)")
                known["\(node.name).\(kind)"] = Self.detailsOfNodes[kind]
                reporters["\(node.name).\(kind)"] = node.name
            }
        }
    }

    /// The node or element that reports an event of that name; nil of the scenario's own.
    func reporter(of name: String) -> String? { reporters[name] }

    /// Details that an event of that name may have; nil where that is not known.
    func details(of name: String) -> [String]? { known[name] }

    /// Reports a name that nothing can bear; true where it is known.
    func check(_ name: String, at position: SourcePosition, _ reader: LabReader) -> Bool {
        if names.contains(name) { return true }
        let node = name.split(separator: ".").first.map { $0 + "." } ?? "."
        let near = names.filter { !$0.contains(".") || $0.hasPrefix(node) }
        reader.report(
            "there is no event '\(LabValue.shortened(name))'", at: position,
            allowed: near.isEmpty ? ["node.kind, such as fw-b.active"] : near,
            suggestion: Spelling.nearest(to: name, among: names))
        return false
    }
}

import Impairment
import LabFile
import Measurement

/// The names that `after`, `wait-for` and `event` may use: the scenario's own, `<node>.<kind>`,
/// `<traffic>.start` and `.stop`, and `<fault>.<kind>`.
struct EventNames {
    /// What a node of each role reports, besides `ready`, with which no scenario begins to wait.
    static let firewallKinds = [
        "active", "backup", "switchover", "peer-up", "peer-down", "cross-connect-down", "dual-active",
        "dual-active-over", "sync-complete", "push-done", "push-refused", "push-blocked", "configuration-differs",
        "sync-refused", "sync-rule-unknown", "nat-pool-exhausted",
    ]
    static let balancerKinds = ["member-up", "member-down", "http-502", "http-503", "http-504", "tls-failed"]
    static let gatewayFirewallKinds = [
        "state-created", "state-closing-closed", "state-expired", "state-closing-closed-expired", "state-refused",
        "state-table-full",
    ]

    /// Of boxes, and of hosts with programs: what a routing daemon does to the kernel's routes.
    static let routeKinds = ["route-added", "route-changed", "route-removed"]

    var names: [String]

    init(nodes: [Node], faults: [String], rules: [FaultRule] = [], traffic: [String] = []) {
        names = faults
        names += traffic.flatMap { ["\($0).start", "\($0).stop"] }
        for rule in rules { names += rule.action.eventKinds.map { "\(rule.name).\($0.rawValue)" } }
        for node in nodes {
            let kinds =
                switch node.role {
                case .host: node.programs.isEmpty ? [] : Self.routeKinds
                case .element: [String]()
                case .firewall: ["ready"] + Self.firewallKinds
                case .loadBalancer: ["ready"] + Self.balancerKinds
                case .gatewayFirewall: ["ready"] + Self.gatewayFirewallKinds
                }
            for kind in kinds + (node.isBox ? Self.routeKinds : []) where !names.contains("\(node.name).\(kind)") { names.append("\(node.name).\(kind)") }
        }
    }

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

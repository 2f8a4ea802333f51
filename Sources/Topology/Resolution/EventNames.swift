import Impairment
import LabFile
import Measurement

/// The names that `after`, `wait-for` and `event` may use: the scenario's own, `<node>.<kind>`,
/// `<traffic>.start` and `.stop`, and `<fault>.<kind>`.
struct EventNames {
    /// What a node of each role can report.
    static let hostKinds = ["ready", "exited"]
    static let firewallKinds = [
        "active", "backup", "switchover", "peer-up", "peer-down", "cross-connect-down", "dual-active", "sync-complete",
    ]
    static let balancerKinds = ["member-up", "member-down"]

    var names: [String]

    init(nodes: [Node], faults: [String], rules: [FaultRule] = [], traffic: [String] = []) {
        names = faults
        names += traffic.flatMap { ["\($0).start", "\($0).stop"] }
        for rule in rules { names += rule.action.eventKinds.map { "\(rule.name).\($0.rawValue)" } }
        for node in nodes {
            var kinds = Self.hostKinds + Fault.Kind.allCases.filter { !$0.isOfRule }.map(\.rawValue)
            switch node.role {
            case .host, .element: break
            case .firewall: kinds += Self.firewallKinds
            case .loadBalancer: kinds += Self.balancerKinds
            }
            for kind in kinds where !names.contains("\(node.name).\(kind)") { names.append("\(node.name).\(kind)") }
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

internal import Configuration
internal import Topology

/// The network of a lab as `ip` commands in a shell script: what a person would write, and no more. Settings and
/// offloads, which failoverlab sets too, are left out.
struct NetworkScript {
    let plan: Plan

    var building: String {
        let namespaces = plan.namespaces.map { "ip netns add \($0.id)" }
        let rest = (plan.links + plan.namespaces.flatMap(\.configuration)).compactMap { Self.command(for: $0) }
        return (["set -e"] + namespaces + rest).joined(separator: "\n") + "\n"
    }

    /// With a namespace go its links.
    var removing: String { plan.namespaces.map { "ip netns del \($0.id)\n" }.joined() }

    private static func command(for step: PlanStep) -> String? {
        switch step.action {
        // The compared labs have no tunnels, equal paths and policy routing.
        case .addEqualPaths, .createTunnel: nil
        case .createNamespace, .set: nil
        case .createLink(let link):
            "ip link add \(end(link.a, link.mtu)) type veth peer name \(end(link.b, link.mtu))"
        case .createBridge(let name):
            "ip -n \(step.namespace) link add \(name) type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        case .attach(let port, let bridge): "ip -n \(step.namespace) link set \(port) master \(bridge)"
        case .addAddress(let address, let interface): "ip -n \(step.namespace) address add \(address) dev \(interface)"
        case .bringUp(let interface): "ip -n \(step.namespace) link set \(interface) up"
        case .addRoute(let route): "ip -n \(step.namespace) route replace \(route.destination) via \(route.gateway)"
        case .addTableRoute(let route, let table):
            "ip -n \(step.namespace) route replace \(route.destination) via \(route.gateway) table \(table)"
        case .rule(let rule): "ip -n \(step.namespace) \(words(of: rule))"
        }
    }

    /// The arguments of `ip` for a rule.
    static func words(of rule: RoutingRule) -> String {
        guard let table = rule.table else { return "rule del pref \(rule.preference)" }
        var words = ["rule add pref \(rule.preference)", "from", rule.from.map { "\($0)" } ?? "all"]
        if let to = rule.to { words += ["to", "\(to)"] }
        if let input = rule.input { words += ["iif", input] }
        return (words + ["lookup", "\(table)"]).joined(separator: " ")
    }

    private static func end(_ end: PlannedLink.End, _ mtu: Int) -> String {
        "\(end.name) address \(end.mac) mtu \(mtu) netns \(end.namespace)"
    }
}

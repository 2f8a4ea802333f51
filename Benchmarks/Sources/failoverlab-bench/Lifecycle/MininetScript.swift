internal import Configuration
internal import Topology
internal import Wire

/// The network of a lab as a Mininet program: every namespace of the plan is a host, a bridge is made in its host.
///
/// It prints `built`, waits for a line, and takes everything down.
struct MininetScript {
    let plan: Plan

    var text: String {
        var lines = [
            "from mininet.net import Mininet",
            // Else it raises limits of the machine, which are none of a benchmark's business.
            "Mininet.inited = True",
            "net = Mininet(controller=None)",
            "node = {}",
        ]
        lines += plan.namespaces.map { "node['\($0.id)'] = net.addHost('\($0.id)', ip=None)" }
        let addresses = plan.namespaces.flatMap(\.configuration).reduce(into: [String: String]()) { addresses, step in
            guard case .addAddress(let address, let interface) = step.action else { return }
            addresses["\(step.namespace)/\(interface)"] = "\(address)"
        }
        for case .createLink(let link) in plan.links.map(\.action) {
            func parameters(_ end: PlannedLink.End) -> String {
                addresses["\(end.namespace)/\(end.name)"].map { "{'ip': '\($0)'}" } ?? "{}"
            }
            lines.append(
                "net.addLink(node['\(link.a.namespace)'], node['\(link.b.namespace)'], "
                    + "intfName1='\(link.a.name)', intfName2='\(link.b.name)', addr1='\(link.a.mac)', "
                    + "addr2='\(link.b.mac)', params1=\(parameters(link.a)), params2=\(parameters(link.b)))")
        }
        lines.append("net.build()")
        lines += plan.namespaces.flatMap(\.configuration).compactMap { Self.command(for: $0) }
        lines += ["print('built', flush=True)", "input()", "net.stop()"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// What Mininet has no word for; its interfaces are up already.
    private static func command(for step: PlanStep) -> String? {
        func run(_ words: String) -> String { "node['\(step.namespace)'].cmd('\(words)')" }
        return switch step.action {
        case .createBridge(let name):
            run(
                "ip link add \(name) type bridge stp_state 0 forward_delay 0 mcast_snooping 0 && ip link set \(name) up"
            )
        case .attach(let port, let bridge): run("ip link set \(port) master \(bridge)")
        case .addRoute(let route): run("ip route replace \(route.destination) via \(route.gateway)")
        case .addTableRoute(let route, let table):
            run("ip route replace \(route.destination) via \(route.gateway) table \(table)")
        case .rule(let rule): run("ip \(NetworkScript.words(of: rule))")
        // The compared labs have no such steps.
        case .addEqualPaths, .createTunnel: nil
        case .createNamespace, .set, .createLink, .addAddress, .bringUp: nil
        }
    }
}

import Appliances
package import Configuration
package import LabEvents
import LabFile
import Wire

/// A firewall forgets sessions, a host the connections that its kernel tracks.
package struct ClearStep: LiveStepKind {
    package static let event = EventKind.clear
    package static let summary =
        "a firewall forgets its sessions, its peer too: all, or those of a protocol, `from`, `to`, `port` (of the destination); a host all connections that its kernel tracks (conntrack)"
    package static let form = "fw-a, or { fw-a: tcp from client to server port 80 }"
    package static let example = "fw-a tcp from client to server port 80"

    package var node: String
    /// nil of a host.
    package var sessions: ConnectionFilter?

    package var written: String { "\(node) \(text)" }
    package var details: EventDetails { [.what: text] }

    private var text: String { sessions.map { "sessions: \($0)" } ?? "conntrack" }

    package static func read(_ step: LiveStepReading) -> ClearStep? {
        guard let node = step.node() else { return nil }
        let hasSessions =
            node.role.configuration is FirewallConfiguration
            || node.role.configuration is GatewayFirewallConfiguration
        guard hasSessions || !node.isBox else {
            step.refuse(
                "'\(node.name)' is \(node.role.word), which has no sessions to clear",
                allowed: ["a firewall", "a gateway firewall", "a client, backend or router"])
            return nil
        }
        guard hasSessions else {
            if step.action != nil {
                step.refuse(
                    "'\(node.name)' is a host, of which all tracked connections are cleared",
                    allowed: ["clear: \(node.name)", "{ exec: { \(node.name): conntrack -D … } } for some of them"])
                return nil
            }
            return ClearStep(node: node.name, sessions: nil)
        }
        guard step.action != nil else { return ClearStep(node: node.name, sessions: ConnectionFilter()) }
        return filter(step).map { ClearStep(node: node.name, sessions: $0) }
    }

    private static func filter(_ step: LiveStepReading) -> ConnectionFilter? {
        guard var words = step.words() else { return nil }
        var filter = ConnectionFilter()
        while let word = words.next() {
            guard words.isNew(word, as: ["tcp", "udp", "icmp"].contains(word) ? "protocol" : nil) else { return nil }
            switch word {
            case "tcp": filter.protocol = .tcp
            case "udp": filter.protocol = .udp
            case "icmp": filter.protocol = .icmp
            case "from":
                guard let text = words.next("a source"), let address = address(text, step) else { return nil }
                filter.source = address
            case "to":
                guard let text = words.next("a destination"), let address = address(text, step) else { return nil }
                filter.destination = address
            case "port":
                guard let port = words.number("a port", in: 1...65_535) else { return nil }
                filter.destinationPort = UInt16(port)
            default:
                step.refuse(
                    "'\(LabValue.shortened(word))' selects no sessions",
                    allowed: ["tcp", "udp", "icmp", "from", "to", "port"])
                return nil
            }
        }
        return filter
    }

    private static func address(_ text: String, _ step: LiveStepReading) -> IPAddress? {
        guard let address = step.address(text, .ipv4) else { return nil }
        if address.isIPv4 { return address }
        step.refuse("\(address) matches no session: they are IPv4's", allowed: ["an IPv4 address", "node.interface"])
        return nil
    }

    package func actions(on node: Node) -> [NodeAction] {
        [sessions.map { .command(.clear($0), node: node.name) } ?? .network(.clearConntrack, node: node.name)]
    }
}

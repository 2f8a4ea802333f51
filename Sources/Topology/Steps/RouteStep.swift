package import LabEvents
import LabFile
import Wire

/// A route of the node's kernel is added, replaced or deleted.
package struct RouteStep: LiveStepKind {
    package static let event = EventKind.route
    package static let summary =
        "`add`, `replace` or `delete`, a network or `default`, then `via`, `dev`, `table`, `metric`, `onlink` as of `ip route`. Gateways may be references"
    package static let form = "{ node: replace default via fw-b.inside }"
    package static let example = "client replace default via fw-b.inside"

    package var node: String
    package var change: RouteChange

    package var written: String { "\(node) \(change)" }
    package var details: EventDetails { [.what: "\(change)"] }

    package static func read(_ step: LiveStepReading) -> RouteStep? {
        guard let node = step.node(), var words = step.words(),
            let verb = words.choice("verb", as: RouteVerb.self), let destination = words.next("a destination")
        else { return nil }
        var target = IPNetwork(destination)
        if target == nil, destination != "default" {
            guard let address = step.address(destination, nil) else { return nil }
            target = IPInterfaceAddress(address, prefixLength: address.isIPv4 ? 32 : 128).network
        }
        var change = RouteChange(verb: verb, destination: .ipv4(.any))
        while let word = words.next() {
            guard words.isNew(word) else { return nil }
            switch word {
            case "via":
                guard let text = words.next("a gateway"), let gateway = step.address(text, target?.family) else {
                    return nil
                }
                change.gateway = gateway
            case "dev":
                guard let device = words.device(of: node) else { return nil }
                change.device = device
            case "table":
                guard let table = words.table() else { return nil }
                change.table = table
            case "metric":
                guard let metric = words.number("a metric", in: 0...UInt32.max) else { return nil }
                change.metric = metric
            case "onlink": change.isOnLink = true
            default:
                step.refuse(
                    "'\(LabValue.shortened(word))' is no word of a route",
                    allowed: ["via", "dev", "table", "metric", "onlink"])
                return nil
            }
        }
        let isIPv4 = target.map { $0.family == .ipv4 } ?? change.gateway?.isIPv4 ?? true
        change.destination =
            target ?? (isIPv4 ? change.destination : .ipv6(.any))
        if let gateway = change.gateway, gateway.isIPv4 != isIPv4 {
            step.refuse("the gateway \(gateway) is not of the family of \(change.destination)")
            return nil
        }
        if verb != .delete, change.gateway == nil, change.device == nil {
            step.refuse(
                "the route to \(change.destination) leads nowhere", allowed: ["via an address", "dev an interface"])
            return nil
        }
        return RouteStep(node: node.name, change: change)
    }

    package func actions(on node: Node) -> [NodeAction] { [.network(.route(change), node: node.name)] }
}

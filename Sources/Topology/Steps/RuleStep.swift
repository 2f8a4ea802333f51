package import LabEvents
import LabFile
import Wire

/// A rule of the node's policy routing is added or deleted.
package struct RuleStep: LiveStepKind {
    package static let event = EventKind.rule
    package static let summary =
        "`add` or `delete`, with `preference`, and for `add` `table` and any of `from`, `to`, `iif`, as of `ip rule`; IPv4"
    package static let form = "{ node: add preference 10 from 10.2.0.0/24 table 10 }"
    package static let example = "client add preference 10 from 10.2.0.0/24 table 10"

    package var node: String
    package var rule: RoutingRule

    package var written: String { "\(node) \(rule)" }
    package var details: EventDetails { [.what: "\(rule)"] }

    private static let meanings = [
        "preference": "preference", "priority": "preference", "pref": "preference", "table": "table", "lookup": "table",
    ]

    package static func read(_ step: LiveStepReading) -> RuleStep? {
        guard let node = step.node(), var words = step.words(),
            let verb = words.choice("verb", as: EntryVerb.self)
        else { return nil }
        var preference: UInt32?
        var rule = RoutingRule(preference: 0)
        while let word = words.next() {
            guard words.isNew(word, as: Self.meanings[word]) else { return nil }
            switch word {
            case "preference", "priority", "pref":
                guard let number = words.number("a preference", in: 0...32_767) else { return nil }
                preference = number
            case "from":
                guard let text = words.next("a source"), let network = network(text, step) else { return nil }
                rule.from = network
            case "to":
                guard let text = words.next("a destination"), let network = network(text, step) else { return nil }
                rule.to = network
            case "iif":
                guard let device = words.device(of: node) else { return nil }
                rule.input = device
            case "table", "lookup":
                guard let table = words.table() else { return nil }
                rule.table = table
            default:
                step.refuse(
                    "'\(LabValue.shortened(word))' is no word of a rule",
                    allowed: ["preference", "from", "to", "iif", "table"])
                return nil
            }
        }
        guard let preference else {
            step.refuse("a rule needs a preference")
            return nil
        }
        rule.preference = preference
        guard (rule.table == nil) == (verb == .delete), verb == .add || rule == RoutingRule(preference: preference)
        else {
            step.refuse(
                verb == .add ? "a rule that is added needs a table" : "a rule is deleted by its preference alone")
            return nil
        }
        return RuleStep(node: node.name, rule: rule)
    }

    private static func network(_ text: String, _ step: LiveStepReading) -> IPv4Network? {
        if let network = IPv4Network(text) { return network }
        guard let address = step.address(text, .ipv4) else { return nil }
        guard let address = address.ipv4 else {
            step.refuse("'\(LabValue.shortened(text))' is IPv6; rules are IPv4")
            return nil
        }
        return IPv4InterfaceAddress(address, prefixLength: 32).network
    }

    package func actions(on node: Node) -> [NodeAction] { [.network(.rule(rule), node: node.name)] }
}

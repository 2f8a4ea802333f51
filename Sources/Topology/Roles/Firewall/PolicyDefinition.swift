import Configuration
import Dataplane
import LabFile
import Wire

/// `objects`, `rules` and `otherwise` of a firewall, and of what a push adds:
/// ```yaml
/// objects: { office: 10.0.0.0/24, servers: [198.51.100.10, backend-2.inside.ip], guests: guest-network }
/// rules:
///   web: { action: allow, on: inside, from: office, to: servers, protocol: tcp, ports: 80-81 }
/// otherwise: deny
/// ```
enum PolicyDefinition {
    /// A rule as written; objects that it names are looked for by whoever has the objects.
    struct Rule {
        var rule: Located<PolicyRule>
        /// Of a push alone.
        var before: String?
    }

    /// An object as written: networks, addresses, names of the lab's networks, references.
    struct Object {
        var name: String
        var members: [Located<String>]
    }

    static let protocols: [(word: String, value: IPProtocol)] = [("tcp", .tcp), ("udp", .udp), ("icmp", .icmp)]

    static func objects(_ value: LabValue?, _ reader: LabReader) -> [Object] {
        NodeDefinition.named(value, "the objects", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "an object", at: entry.keyPosition, reader) else { return nil }
            let elements = reader.list(entry.value)
            let members = elements.compactMap { element -> Located<String>? in
                if let text = element.text { return Located(value: text, position: element.position) }
                reader.report(
                    "object '\(entry.key)' holds \(element.found)", at: element.position, allowed: memberForms)
                return nil
            }
            guard !members.isEmpty else {
                if elements.isEmpty {
                    reader.report("object '\(entry.key)' is empty", at: entry.keyPosition, allowed: memberForms)
                }
                return nil
            }
            return Object(name: entry.key, members: members)
        }
    }

    /// - Parameter interfaces: those of the firewall; nil where it is not known which one
    static func rules(
        _ value: LabValue?, interfaces: [String]?, more keys: [String] = [], _ reader: LabReader
    ) -> [Rule] {
        NodeDefinition.named(value, "the rules", reader).compactMap { entry in
            guard NameRule.word.check(entry.key, "a rule", at: entry.keyPosition, reader),
                let mapping = MappingReader(
                    entry.value, "rule '\(entry.key)'", keys: PolicyDefinition.ruleKeys + keys, reader),
                mapping.required("action") != nil, let action: FilterRule.Action = mapping.choice("action")
            else { return nil }
            var rule = PolicyRule(name: entry.key, action: action)
            rule.ingress = mapping.text("on")
            if let ingress = rule.ingress, let interfaces, !interfaces.contains(ingress) {
                reader.reportUnknown(
                    ingress, "rule '\(entry.key)' is on '\(LabValue.shortened(ingress))', which is no interface here",
                    at: mapping["on"]?.position, allowed: interfaces)
            }
            rule.sources = addresses(mapping, "from", reader)
            rule.destinations = addresses(mapping, "to", reader)
            if let value = mapping["protocol"] {
                guard let found = protocols.first(where: { $0.word == value.text }) else {
                    reader.reportUnknown(
                        value.text ?? "", "the protocol of rule '\(entry.key)' is \(value.found)", at: value.position,
                        allowed: protocols.map(\.word))
                    return nil
                }
                rule.protocol = found.value
            }
            if let value = mapping["ports"] {
                guard let ports = PortRangeText.parse(value), rule.protocol == .tcp || rule.protocol == .udp
                else {
                    reader.report(
                        "the ports of rule '\(entry.key)' are \(value.found)", at: value.position,
                        allowed: ["a port, or a range such as 8000-8080, beside 'protocol: tcp' or 'protocol: udp'"])
                    return nil
                }
                rule.destinationPorts = ports
            }
            return Rule(
                rule: Located(value: rule, position: entry.keyPosition),
                before: keys.contains("before") ? mapping.text("before") : nil)
        }
    }

    /// A firewall's own policy, checked whole but for what its objects hold.
    static func policy(
        _ mapping: MappingReader, interfaces: [String], _ reader: LabReader
    ) -> (objects: [Object], policy: PolicyConfiguration) {
        let rules = rules(mapping["rules"], interfaces: interfaces, reader)
        let objects = objects(mapping["objects"], reader)
        for rule in rules {
            for case .object(let name) in rule.rule.value.sources + rule.rule.value.destinations
            where !objects.contains(where: { $0.name == name }) {
                reader.reportUnknown(
                    name, "rule '\(rule.rule.value.name)' names '\(name)', which is none of the objects here",
                    at: rule.rule.position, allowed: objects.map(\.name) + addressForms)
            }
        }
        let policy = PolicyConfiguration(
            objects: objects.map { PolicyObject(name: $0.name, networks: []) }, rules: rules.map(\.rule.value),
            otherwise: mapping.choice("otherwise") ?? .allow)
        do {
            _ = try policy.applying(PolicyChange())
        } catch  where reader.errors.isEmpty {
            reader.report("\(error)", at: mapping.keyPosition("rules"))
        } catch {}
        return (objects, policy)
    }

    private static let addressForms = [IPv4Network.textForm, IPv4Address.textForm]
    private static let memberForms = addressForms + ["a network of the lab", "node.interface.ip"]

    /// `192.0.2.0/24`, `192.0.2.1`
    private static func network(_ text: String) -> IPv4Network? {
        IPv4Network(text) ?? IPv4Address(text).map { IPv4Network("\($0)/32")! }
    }

    private static func addresses(_ mapping: MappingReader, _ key: String, _ reader: LabReader) -> [PolicyAddress] {
        guard let value = mapping[key] else { return [] }
        return reader.list(value).compactMap { element in
            guard let text = reader.text(element, of: "'\(key)' of \(mapping.what)") else { return nil }
            if let network = network(text) { return .network(network) }
            guard text.first?.isLetter == true else {
                reader.report(
                    "'\(key)' of \(mapping.what) is \(element.found)", at: element.position,
                    allowed: addressForms + ["the name of an object"])
                return nil
            }
            return .object(text)
        }
    }
}

/// In the order in which messages list them.
extension PolicyDefinition {
    static let ruleKeys = ["action", "on", "from", "to", "protocol", "ports"]
}

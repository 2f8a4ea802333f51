import Dataplane
public import Redundancy
public import Wire

/// What two boxes compare: each object and rule, and the order of the rules.
enum PolicyItemKind: UInt8 {
    case object = 1
    case rule = 2
    case order = 3
    case otherwise = 4

    var word: String {
        switch self {
        case .object: "object"
        case .rule: "rule"
        case .order: "the order of the rules"
        case .otherwise: "what happens to the rest"
        }
    }
}

extension PolicyConfiguration {
    /// Each part with the digest of its content; equal on two boxes that would judge every packet alike.
    public var items: [ConfigurationItem] {
        func item(_ kind: PolicyItemKind, _ name: String, _ parts: [String]) -> ConfigurationItem {
            var digest = ConfigurationDigest()
            for part in parts { digest.add(part) }
            return ConfigurationItem(kind: kind.rawValue, name: name, digest: digest.value)
        }
        return objects.map { item(.object, $0.name, $0.networks.map(\.description)) }
            + rules.map { rule in
                item(
                    .rule, rule.name,
                    [rule.action.rawValue, rule.ingress ?? "", rule.protocol.map { "\($0.rawValue)" } ?? ""]
                        + [rule.destinationPorts.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "", "from"]
                        + rule.sources.map(\.description) + ["to"] + rule.destinations.map(\.description))
            } + [item(.order, "", rules.map(\.name)), item(.otherwise, "", [otherwise.rawValue])]
    }
}

extension PolicyAddress: CustomStringConvertible {
    /// `192.0.2.0/24`, `office`
    public var description: String {
        switch self {
        case .network(let network): network.description
        case .object(let name): name
        }
    }
}

extension ConfigurationDifference {
    /// `rule 'web' is missing on fw-b`
    func words(here: String, there: String) -> String {
        func named(_ item: ConfigurationItem) -> String {
            let kind = PolicyItemKind(rawValue: item.kind)?.word ?? "something"
            return item.name.isEmpty ? kind : "\(kind) '\(item.name)'"
        }
        return switch self {
        case .onlyHere(let item): "\(named(item)) is missing on \(there)"
        case .onlyThere(let item): "\(named(item)) is missing on \(here)"
        case .content(let item): "\(named(item)) differs"
        }
    }
}

public import Configuration
import Dataplane
import Redundancy
public import Wire

/// What two boxes compare: each object, rule and pool, and the order of the rules.
enum PolicyItemKind: UInt8 {
    case object = 1
    case rule = 2
    case order = 3
    case otherwise = 4
    case natPool = 5
    case natRule = 6
    case natOrder = 7
    // Parts of a pool, so that a difference says in what.
    case natAddresses = 8
    case natPorts = 9
    case natFiltering = 10
    case natPooling = 11

    var word: String {
        switch self {
        case .object: "object"
        case .rule: "rule"
        case .order: "the order of the rules"
        case .otherwise: "what happens to the rest"
        case .natPool: "NAT pool"
        case .natRule: "NAT rule"
        case .natOrder: "the order of the NAT rules"
        case .natAddresses: "the addresses of NAT pool"
        case .natPorts: "the ports of NAT pool"
        case .natFiltering: "the filtering of NAT pool"
        case .natPooling: "the pooling of NAT pool"
        }
    }

    /// Whether it is a part of something that is compared itself.
    var isPart: Bool { rawValue >= Self.natAddresses.rawValue }

    func item(_ name: String, _ parts: [String]) -> ConfigurationItem {
        var digest = ConfigurationDigest()
        for part in parts { digest.add(part) }
        return ConfigurationItem(kind: rawValue, name: name, digest: digest.value)
    }
}

extension PolicyConfiguration {
    /// Each part with the digest of its content; equal on two boxes that would judge every packet alike.
    public var items: [ConfigurationItem] {
        return objects.map { PolicyItemKind.object.item($0.name, $0.networks.map(\.description)) }
            + rules.map { rule in
                PolicyItemKind.rule.item(
                    rule.name,
                    [rule.action.rawValue, rule.ingress ?? "", rule.protocol.map { "\($0.rawValue)" } ?? ""]
                        + [rule.destinationPorts.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "", "from"]
                        + rule.sources.map(\.description) + ["to"] + rule.destinations.map(\.description))
            } + [
                PolicyItemKind.order.item("", rules.map(\.name)),
                PolicyItemKind.otherwise.item("", [otherwise.rawValue]),
            ]
    }
}

extension RunningNAT {
    /// As of a policy. The order of pools is nobody's business.
    func items(of box: NATSurroundings) -> [ConfigurationItem] {
        guard let configuration else { return [] }
        let pools = configuration.pools.sorted { $0.name < $1.name }.flatMap { pool in
            [
                PolicyItemKind.natPool.item(pool.name, []),
                PolicyItemKind.natAddresses.item(pool.name, pool.addresses.map(box.word)),
                PolicyItemKind.natPorts.item(pool.name, ["\(pool.ports.lowerBound)-\(pool.ports.upperBound)"]),
                PolicyItemKind.natFiltering.item(pool.name, [pool.filtering.rawValue]),
                PolicyItemKind.natPooling.item(pool.name, [pool.pooling.rawValue]),
            ]
        }
        let rules = ruleNames.map { name in
            PolicyItemKind.natRule.item(
                name,
                configuration.rules.filter { $0.name == name }.map { rule in
                    "\(rule.source) \(rule.destination) \(rule.protocol?.rawValue ?? 0) \(rule.destinationPorts) \(rule.pool.map { "to \($0)" } ?? "")"
                })
        }
        if pools.isEmpty, rules.isEmpty { return [] }
        return pools + rules + [PolicyItemKind.natOrder.item("", ruleNames)]
    }
}

extension ConfigurationDifference {
    /// `rule 'web' is missing on fw-b`; nil for a part of what is missing as a whole
    func words(here: String, there: String) -> String? {
        func named(_ item: ConfigurationItem) -> String {
            let kind = PolicyItemKind(rawValue: item.kind)?.word ?? "something"
            return item.name.isEmpty ? kind : "\(kind) '\(item.name)'"
        }
        func isPart(_ item: ConfigurationItem) -> Bool { PolicyItemKind(rawValue: item.kind)?.isPart == true }
        return switch self {
        case .onlyHere(let item): isPart(item) ? nil : "\(named(item)) is missing on \(there)"
        case .onlyThere(let item): isPart(item) ? nil : "\(named(item)) is missing on \(here)"
        case .content(let item):
            "\(named(item)) \(item.kind == PolicyItemKind.natAddresses.rawValue || item.kind == PolicyItemKind.natPorts.rawValue ? "differ" : "differs")"
        }
    }
}

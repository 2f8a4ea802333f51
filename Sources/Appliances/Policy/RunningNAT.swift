import Configuration
import Configuration
import Dataplane

/// What a firewall translates at the moment, and what its peer may translate still.
struct RunningNAT: Hashable, Sendable {
    /// nil where nothing ever was translated.
    var configuration: NATConfiguration?
    /// Earlier forms of pools.
    var former: [NATPool] = []

    var pools: [NATPool] { configuration?.pools ?? [] }
    var rules: [NATRule] { configuration?.rules ?? [] }

    /// The names of the rules, in their order.
    var ruleNames: [String] {
        rules.map(\.name).reduce(into: []) { names, name in if names.last != name { names.append(name) } }
    }

    /// After a change: additions first, then deletions.
    /// - Throws: what does not fit; a change applies as a whole or not at all
    func applying(_ change: NATChange, of box: NATSurroundings) throws(ConfigurationError) -> RunningNAT {
        guard !change.isEmpty else { return self }
        var new = self
        var nat = configuration ?? NATConfiguration(pools: [], rules: [])
        for pool in change.addedPools {
            guard !nat.pools.contains(where: { $0.name == pool.name }) else {
                throw ConfigurationError(
                    "there is a NAT pool '\(pool.name)' already; change it, or delete it in a push before")
            }
            nat.pools.append(pool)
        }
        for pool in change.changedPools {
            guard let place = nat.pools.firstIndex(where: { $0.name == pool.name }) else {
                throw ConfigurationError("there is no NAT pool '\(pool.name)' to change; \(Self.list(of: nat.pools))")
            }
            new.former.removeAll { $0.name == pool.name }
            if change.keepsFormer { new.former.append(nat.pools[place]) }
            nat.pools[place] = pool
        }
        for added in change.addedRules {
            guard !nat.rules.contains(where: { $0.name == added.name }) else {
                throw ConfigurationError("there is a NAT rule '\(added.name)' already; delete it in a push before")
            }
            guard let before = added.before else {
                nat.rules += added.rules
                continue
            }
            guard let place = nat.rules.firstIndex(where: { $0.name == before }) else {
                throw ConfigurationError(
                    "NAT rule '\(added.name)' is to come before '\(before)', which is no NAT rule here; \(Self.list(of: nat.rules))"
                )
            }
            nat.rules.insert(contentsOf: added.rules, at: place)
        }
        for name in change.deletedRules {
            guard nat.rules.contains(where: { $0.name == name }) else {
                throw ConfigurationError("there is no NAT rule '\(name)' to delete; \(Self.list(of: nat.rules))")
            }
            nat.rules.removeAll { $0.name == name }
        }
        for name in change.deletedPools {
            guard nat.pools.contains(where: { $0.name == name }) else {
                throw ConfigurationError("there is no NAT pool '\(name)' to delete; \(Self.list(of: nat.pools))")
            }
            if let rule = nat.rules.first(where: { $0.pool == name }) {
                throw ConfigurationError(
                    "the NAT pool '\(name)' cannot be deleted: the NAT rule '\(rule.name)' uses it; delete the rule in the same push, or before"
                )
            }
            nat.pools.removeAll { $0.name == name }
            new.former.removeAll { $0.name == name }
        }
        new.former.removeAll { change.endedForms.contains($0.name) }
        new.configuration = nat
        try box.check(nat, leaving: change.leavingPools)
        return new
    }

    private static func list(of pools: [NATPool]) -> String {
        PolicyConfiguration.list("NAT pools", pools.map(\.name))
    }

    private static func list(of rules: [NATRule]) -> String {
        PolicyConfiguration.list(
            "NAT rules", RunningNAT(configuration: NATConfiguration(pools: [], rules: rules)).ruleNames)
    }
}

public import Mutants
public import Wire

/// Which sessions may be: rules for the packet that would open one.
@usableFromInline
package struct SessionPolicy<Family: AddressFamily>: Sendable {
    /// The first rule that matches decides about a new session.
    @usableFromInline package internal(set) var rules: [IPFilterRule<Family>]
    /// About a session that no rule matches.
    @usableFromInline package internal(set) var otherwise: FilterAction

    @usableFromInline
    package init(rules: [IPFilterRule<Family>], otherwise: FilterAction) {
        self.rules = rules
        self.otherwise = otherwise
    }

    /// The rule that lets a new session through, `none` where no rule matches; nil where the policy denies it.
    /// - Complexity: O(rules)
    @inlinable
    func admit(_ flow: FlowKey<Family>, from port: PortIndex) -> RuleIdentity? {
        let rule = rules.first { $0.matches(flow, from: port) }
        guard (rule?.action ?? otherwise) == .allow || Mutant.isOn(.allowsEverything) else { return nil }
        return rule?.identity ?? RuleIdentity.none
    }

    /// Whether a session that this rule let through may be.
    /// - Complexity: O(rules)
    @inlinable
    func allows(_ rule: RuleIdentity) -> Bool {
        if rule == .none { return otherwise == .allow }
        return rules.contains { $0.identity == rule && $0.action == .allow }
    }

    /// The rules whose sessions may be; off the hot path.
    @usableFromInline var allowed: Set<RuleIdentity> {
        Set(rules.filter { $0.action == .allow }.map(\.identity)).union(otherwise == .allow ? [.none] : [])
    }
}

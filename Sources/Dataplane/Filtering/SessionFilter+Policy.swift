import Mutants

extension SessionFilter {
    /// Puts other rules into effect. A session whose rule is gone, or now denies, ends here, and the peer is told; the
    /// rest goes on, whatever a new rule would say about its first packet.
    /// - Returns: how many sessions ended
    /// - Complexity: O(sessions + rules)
    @discardableResult
    public mutating func install(_ rules: [FilterRule], otherwise: FilterRule.Action) -> Int {
        self.rules = rules
        self.otherwise = otherwise
        let allowed = Set(rules.filter { $0.action == .allow }.map(\.identity))
            .union(otherwise == .allow ? [.none] : [])
        var ended = 0
        var index = table.next(after: nil)
        while let place = index {
            if !allowed.contains(table[place].rule), !Mutant.isOn(.keepsDeniedSessions) {
                forget(place)
                ended += 1
            }
            index = table.next(after: place)
        }
        return ended
    }

    /// Whether a session that this rule let through may be.
    /// - Complexity: O(rules)
    func allows(_ rule: RuleIdentity) -> Bool {
        if rule == .none { return otherwise == .allow }
        return rules.contains { $0.identity == rule && $0.action == .allow }
    }
}

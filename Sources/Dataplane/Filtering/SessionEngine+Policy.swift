public import LabTime
public import Mutants
public import Wire

extension SessionEngine {
    /// Puts other rules into effect. A session whose rule is gone, or now denies, ends here and is reported; the rest
    /// goes on, whatever a new rule would decide about its first packet.
    /// - Returns: how many sessions ended
    /// - Complexity: O(sessions + rules)
    @discardableResult
    @inlinable
    package mutating func install<Observer: SessionObserver & ~Copyable>(
        _ rules: [IPFilterRule<Family>], otherwise: FilterAction, reporting observer: inout Observer
    ) -> Int
    where Observer.Family == Family {
        policy = SessionPolicy(rules: rules, otherwise: otherwise)
        let allowed = policy.allowed
        var ended = 0
        var index = table.next(after: nil)
        while let place = index {
            if !allowed.contains(table[place].rule), !Mutant.isOn(.keepsDeniedSessions) {
                end(place, &observer)
                ended += 1
            }
            index = table.next(after: place)
        }
        return ended
    }

    /// Puts other pools and rules of translation into effect. Sessions keep their addresses and ports until they end;
    /// those of the peer whose pool was not known here get their mapping.
    /// - Parameters:
    ///   - former: what the peer may still grant; see `SourceNAT.replace`
    ///   - timers: what each packet from now on prolongs its session by
    /// - Complexity: O(sessions + mappings)
    @inlinable
    package mutating func install<Observer: SessionObserver & ~Copyable>(
        pools: [IPNATPool<Family>], former: [IPNATPool<Family>] = [], rules: [IPNATRule<Family>], timers: SessionTimers,
        at now: Instant,
        reporting observer: inout Observer
    ) where Observer.Family == Family {
        table.timers = timers
        let counted = nat.filtersByAddress
        nat.replace(pools: pools, former: former, rules: rules)
        let counts = nat.filtersByAddress
        if counted { nat.forgetContacts() }
        var next = table.next(after: nil)
        while let index = next {
            next = table.next(after: index)
            guard table[index].isTranslated else { continue }
            if counts { nat.contact(table[index].source, table.original(of: index).destination, ends: false, at: now) }
            adoptForeign(index, at: now)
            // The session's record so far does not ask the peer to keep the mapping without a pool.
            if !table[index].isBlocked, nat.isOfFormerPool(table[index]) {
                observer.sessionChanged(index, .state, at: now)
            }
        }
    }
}

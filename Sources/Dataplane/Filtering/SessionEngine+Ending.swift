public import LabTime
public import Wire

extension SessionEngine {
    /// When `advance` has something to do.
    @inlinable
    package var deadline: Instant? {
        guard let first = table.deadline, let second = gateways.deadline else {
            return table.deadline ?? gateways.deadline
        }
        return min(first, second)
    }

    /// Ends sessions and pinholes whose time has come.
    @inlinable
    package mutating func advance<Observer: SessionObserver & ~Copyable>(
        to now: Instant, reporting observer: inout Observer
    ) where Observer.Family == Family {
        gateways.expirePinholes(at: now)
        while let index = table.nextExpired(at: now) { end(index, &observer) }
    }

    /// Ends the sessions that are meant by the flow of their first packet, and reports them.
    /// - Complexity: O(sessions)
    package mutating func end<Observer: SessionObserver & ~Copyable>(
        where isMeant: (FlowKey<Family>) -> Bool, reporting observer: inout Observer
    ) where Observer.Family == Family {
        var next = table.next(after: nil)
        while let index = next {
            if isMeant(table.original(of: index)) { end(index, &observer) }
            next = table.next(after: index)
        }
    }

    /// Ends a session and reports it.
    @inlinable
    mutating func end<Observer: SessionObserver & ~Copyable>(_ index: FlowIndex, _ observer: inout Observer)
    where Observer.Family == Family {
        if !table[index].isBlocked { observer.sessionEnded(table.original(of: index)) }
        discard(index)
    }

    /// Removes a session without a report, because the observer caused it or never saw the session.
    @inlinable
    package mutating func discard(_ index: FlowIndex) {
        let session = table[index]
        if session.isControl { gateways.endControl(table.original(of: index)) }
        if session.isTranslated { nat.release(session, to: table.original(of: index).destination) }
        table.remove(index)
    }
}

public import LabTime

extension IPFlowTable {
    /// Puts the end of a session off, or brings it forward.
    ///
    /// Putting it off, as every packet does, is one store; the wheel finds out when it hands the session out.
    /// - Precondition: the session is in the table
    @inlinable
    public mutating func keep(_ index: FlowIndex, until expires: Instant, now: Instant) {
        precondition(index.rawValue < untouched)
        let entry = entries + Int(index.rawValue)
        let earlier = expires.nanoseconds < entry.pointee.expires
        entry.pointee.expires = expires.nanoseconds
        if earlier { reschedule(index, at: expires, now: now) }
    }

    @inlinable
    mutating func reschedule(_ index: FlowIndex, at expires: Instant, now: Instant) {
        guard contains(index) else { return }
        wheel.schedule(index.rawValue, at: expires, now: now)
    }

    /// When the session is forgotten unless a packet comes.
    /// - Precondition: `contains(index)`
    @inlinable
    public func expiry(of index: FlowIndex) -> Instant {
        precondition(contains(index))
        return Instant(nanoseconds: entries[Int(index.rawValue)].expires)
    }

    /// A session whose time has come. The caller removes it, or gives it a later time by `renew`.
    /// - Returns: nil where no session is due at `now`
    @inlinable
    public mutating func nextExpired(at now: Instant) -> FlowIndex? {
        while let place = wheel.next(at: now) {
            let expires = Instant(nanoseconds: entries[Int(place)].expires)
            if expires <= now { return FlowIndex(rawValue: place) }
            wheel.schedule(place, at: expires, now: now)
        }
        return nil
    }

    /// Gives a session that `nextExpired` handed out a later time.
    @inlinable
    public mutating func renew(_ index: FlowIndex, until expires: Instant, now: Instant) {
        guard contains(index) else { return }
        entries[Int(index.rawValue)].expires = expires.nanoseconds
        wheel.schedule(index.rawValue, at: expires, now: now)
    }

    /// The earliest time at which `nextExpired` may have something; nil for an empty table.
    public var deadline: Instant? { wheel.deadline }
}

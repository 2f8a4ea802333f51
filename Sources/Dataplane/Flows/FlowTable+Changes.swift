public import LabTime
public import Wire

extension IPFlowTable {
    /// Enters a session.
    /// - Parameters:
    ///   - original: the flow of the first packet, as it arrived
    ///   - reply: the flow of the packets that come back, as they arrive; nil where none will
    ///   - expires: when the session is forgotten unless `keep` puts it off
    /// - Complexity: constant
    @inlinable
    public mutating func insert(
        original: Key, reply: Key?, value: Value, expires: Instant, now: Instant
    ) -> FlowInsertion {
        if let match = find(original) { return .conflict(match) }
        if let reply, let match = find(reply) { return .conflict(match) }
        let place: UInt32
        if freeHead != .max {
            place = freeHead
            freeHead = entries[Int(place)].nextFree
        } else if Int(untouched) < capacity {
            place = untouched
            untouched &+= 1
        } else {
            return .full
        }
        // A session whose two flows are the same five-tuple (a host that talks to itself) is found by one of them.
        let hasReply = reply != nil && reply != original
        entries[Int(place)] = Entry(
            original: original, reply: reply ?? original, expires: expires.nanoseconds, flows: hasReply ? 2 : 1)
        values[Int(place)] = value
        enter(hash: original.flowHash(seed: seed), code: place << 1)
        if hasReply { enter(hash: entries[Int(place)].reply.flowHash(seed: seed), code: place << 1 | 1) }
        wheel.schedule(place, at: expires, now: now)
        sessions &+= 1
        return .inserted(FlowIndex(rawValue: place))
    }

    /// Forgets a session; nothing happens where the place is free.
    /// - Complexity: constant
    @inlinable
    public mutating func remove(_ index: FlowIndex) {
        guard contains(index) else { return }
        let place = index.rawValue
        let entry = entries[Int(place)]
        erase(hash: entry.original.flowHash(seed: seed), code: place << 1)
        if entry.flows == 2 { erase(hash: entry.reply.flowHash(seed: seed), code: place << 1 | 1) }
        wheel.cancel(place)
        entries[Int(place)].flows = 0
        entries[Int(place)].nextFree = freeHead
        freeHead = place
        sessions &-= 1
    }

    /// Has a session found by other flows from now on; its place, value and time stay.
    /// - Precondition: `contains(index)`, and no other session has the flows
    mutating func rename(_ index: FlowIndex, original: Key, reply: Key?) {
        precondition(contains(index))
        let place = index.rawValue
        let entry = entries + Int(place)
        erase(hash: entry.pointee.original.flowHash(seed: seed), code: place << 1)
        if entry.pointee.flows == 2 { erase(hash: entry.pointee.reply.flowHash(seed: seed), code: place << 1 | 1) }
        let hasReply = reply != nil && reply != original
        entry.pointee.original = original
        entry.pointee.reply = reply ?? original
        entry.pointee.flows = hasReply ? 2 : 1
        enter(hash: original.flowHash(seed: seed), code: place << 1)
        if hasReply { enter(hash: entry.pointee.reply.flowHash(seed: seed), code: place << 1 | 1) }
    }

    /// Whether a session lives at this place.
    @inlinable
    public func contains(_ index: FlowIndex) -> Bool {
        index.rawValue < untouched && entries[Int(index.rawValue)].flows > 0
    }

    /// The flow of the session's first packet.
    /// - Precondition: `contains(index)`
    @inlinable
    public func original(of index: FlowIndex) -> Key {
        precondition(contains(index))
        return entries[Int(index.rawValue)].original
    }

    /// The flow of the packets that come back; nil where none will.
    /// - Precondition: `contains(index)`
    @inlinable
    public func reply(of index: FlowIndex) -> Key? {
        precondition(contains(index))
        return entries[Int(index.rawValue)].flows == 2 ? entries[Int(index.rawValue)].reply : nil
    }

    /// The next session in the order of places, for walks over the whole table off the hot path:
    /// `var i = table.next(after: nil); while let index = i { …; i = table.next(after: index) }`.
    /// The session may be removed during the walk.
    @inlinable
    public func next(after index: FlowIndex?) -> FlowIndex? {
        var place = index.map { $0.rawValue &+ 1 } ?? 0
        while place < untouched {
            if entries[Int(place)].flows > 0 { return FlowIndex(rawValue: place) }
            place &+= 1
        }
        return nil
    }

    // MARK: Buckets

    @inlinable
    func enter(hash: UInt32, code: UInt32) {
        var position = hash & mask
        while buckets[Int(position)] != 0 { position = (position &+ 1) & mask }
        buckets[Int(position)] = UInt64(hash) << 32 | UInt64(code &+ 1)
    }

    /// Empties a bucket and moves later ones of the same run up, so that no search ends too early.
    @inlinable
    func erase(hash: UInt32, code: UInt32) {
        let wanted = UInt64(hash) << 32 | UInt64(code &+ 1)
        var hole = hash & mask
        while buckets[Int(hole)] != wanted {
            if buckets[Int(hole)] == 0 { return }
            hole = (hole &+ 1) & mask
        }
        var position = hole
        while true {
            position = (position &+ 1) & mask
            let bucket = buckets[Int(position)]
            if bucket == 0 { break }
            let home = UInt32(truncatingIfNeeded: bucket >> 32) & mask
            // It may move into the hole unless its home lies after the hole.
            if (position &- home) & mask >= (position &- hole) & mask {
                buckets[Int(hole)] = bucket
                hole = position
            }
        }
        buckets[Int(hole)] = 0
    }
}

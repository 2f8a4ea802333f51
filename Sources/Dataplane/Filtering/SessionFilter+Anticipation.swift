public import Wire

// A batch of packets, or a message of records, is known before its first session is looked up: so the memory of all
// these sessions can be fetched at once. At a million sessions each search is one or two misses of every cache.

extension SessionFilter {
    /// Whether `anticipate` is worth its time.
    public var isWorthAnticipating: Bool { table.outgrowsCaches }

    /// A packet of this flow will be judged soon.
    public func anticipate(_ flow: FiveTuple) {
        table.anticipate(flow)
        // What an untranslated session's first packet is entered under as well.
        if !nat.isActive { table.anticipate(flow.reversed) }
    }

    /// This session of the peer will be applied soon.
    public func anticipate(_ record: SessionRecord) {
        table.anticipate(record.flow)
        table.anticipate(record.outgoing.reversed)
    }
}

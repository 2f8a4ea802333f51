public import Wire

// A batch of packets, or a message of records, is known before its first session is looked up: so the memory of all
// these sessions can be fetched at once. At a million sessions each search is one or two misses of every cache.

extension SessionFilter {
    /// Whether `prefetch` is worth its time.
    public var isWorthPrefetching: Bool { table.outgrowsCaches }

    /// A packet of this flow will be judged soon.
    public func prefetch(_ flow: FiveTuple) {
        table.prefetch(flow)
        // What an untranslated session's first packet is entered under as well.
        if !nat.isActive { table.prefetch(flow.reversed) }
    }

    /// This session of the peer will be applied soon.
    public func prefetch(_ record: SessionRecord) {
        table.prefetch(record.flow)
        table.prefetch(record.outgoing.reversed)
    }
}

public import LabTime
public import Wire

/// The sessions of a firewall, each found by either of its two flows: how long each is remembered, and how many came
/// and went.
///
/// When it is full, new sessions are refused and existing ones kept.
@usableFromInline
package struct SessionTable<Family: AddressFamily>: ~Copyable {
    @usableFromInline package internal(set) var flows: IPFlowTable<Family, Session>
    @usableFromInline package internal(set) var timers: SessionTimers
    /// Sessions opened by packets that passed here.
    @usableFromInline package internal(set) var opened: UInt64 = 0
    /// Sessions forgotten because no packet came.
    @usableFromInline package internal(set) var expired: UInt64 = 0

    /// - Parameter capacity: the most sessions
    init(capacity: Int, timers: SessionTimers) {
        flows = IPFlowTable(capacity: capacity)
        self.timers = timers
    }

    @inlinable package var count: Int { flows.count }
    @inlinable package var capacity: Int { flows.capacity }

    // MARK: Lookup

    @inlinable package func find(_ flow: FlowKey<Family>) -> FlowMatch? { flows.find(flow) }
    @inlinable package func contains(_ index: FlowIndex) -> Bool { flows.contains(index) }

    /// The session, in place.
    /// - Precondition: the index came from `find` or `enter`, and was not removed since
    @inlinable
    package subscript(index: FlowIndex) -> Session {
        _read { yield flows[index] }
        _modify { yield &flows[index] }
    }

    /// The flow of the first packet.
    /// - Precondition: `contains(index)`
    @inlinable package func original(of index: FlowIndex) -> FlowKey<Family> { flows.original(of: index) }

    /// The flow of the packets that come back, as they arrive; nil where it is the same.
    /// - Precondition: `contains(index)`
    @inlinable package func reply(of index: FlowIndex) -> FlowKey<Family>? { flows.reply(of: index) }

    /// How a packet of a session leaves.
    ///
    /// A session's two five-tuples are the flows as they arrive, so each is also the reverse of how the other leaves: a
    /// packet of a known session needs nothing but them.
    /// - Parameter flow: as it arrived, one of the session's two
    @inlinable
    package func outgoing(of index: FlowIndex, arrivedAs flow: FlowKey<Family>) -> FlowKey<Family> {
        let original = flows.original(of: index)
        // A session with one five-tuple is answered by the same one.
        return flow == original ? (flows.reply(of: index) ?? original).reversed : original.reversed
    }

    /// The next session in the order of places, for walks off the hot path; it may be removed during the walk.
    @inlinable package func next(after index: FlowIndex?) -> FlowIndex? { flows.next(after: index) }

    /// How long a session in this state lasts without another packet.
    @inlinable
    package func timeout(of state: SessionState, _ proto: IPProtocol) -> Duration {
        timers.timeout(of: state, protocol: proto, controlProtocol: Family.controlProtocol)
    }

    // MARK: Change

    /// Enters a session that a packet opens.
    @inlinable
    mutating func open(
        _ session: Session, _ flow: FlowKey<Family>, leavingAs outgoing: FlowKey<Family>, at now: Instant
    )
        -> FlowInsertion
    {
        let expires = now + timeout(of: session.state, flow.protocol)
        let insertion = enter(session, flow, leavingAs: outgoing, expires: expires, at: now)
        if case .inserted = insertion { opened &+= 1 }
        return insertion
    }

    @inlinable
    mutating func enter(
        _ session: Session, _ flow: FlowKey<Family>, leavingAs outgoing: FlowKey<Family>, expires: Instant,
        at now: Instant
    ) -> FlowInsertion {
        flows.insert(original: flow, reply: outgoing.reversed, value: session, expires: expires, now: now)
    }

    /// Writes a session's new state and the end of its time.
    /// - Parameter prolongs: whether the end may move back
    /// - Returns: how long a session in this state lasts
    @inline(__always)
    @inlinable
    mutating func move(
        _ index: FlowIndex, from old: SessionState, to new: SessionState, _ proto: IPProtocol, prolongs: Bool,
        at now: Instant
    ) -> Duration {
        let timeout = timeout(of: new, proto)
        if new != old { flows[index].state = new }
        let expires = now + timeout
        if prolongs || expires < flows.expiry(of: index) { flows.keep(index, until: expires, now: now) }
        return timeout
    }

    @inlinable
    mutating func keep(_ index: FlowIndex, until expires: Instant, at now: Instant) {
        flows.keep(index, until: expires, now: now)
    }

    @inlinable mutating func remove(_ index: FlowIndex) { flows.remove(index) }

    // MARK: Time

    /// When the session is forgotten unless a packet comes.
    /// - Precondition: `contains(index)`
    @inlinable package func expiry(of index: FlowIndex) -> Instant { flows.expiry(of: index) }

    @inlinable package var deadline: Instant? { flows.deadline }

    /// A session whose time is over; the caller removes it.
    @inlinable
    mutating func nextExpired(at now: Instant) -> FlowIndex? {
        guard let index = flows.nextExpired(at: now) else { return nil }
        expired &+= 1
        return index
    }
}

// A batch of packets, or a message of records, is known before its first session is looked up: so the memory of all
// these sessions can be fetched at once. At a million sessions each search is one or two misses of every cache.
extension SessionTable {
    /// Whether `prefetch` is worth its time.
    @inlinable package var isWorthPrefetching: Bool { flows.outgrowsCaches }

    /// This flow will be looked up soon.
    @inlinable func prefetch(_ flow: FlowKey<Family>) { flows.prefetch(flow) }
}

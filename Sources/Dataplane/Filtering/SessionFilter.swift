public import LabTime
public import Wire

/// A stateful filter: which packets pass, by session.
///
/// A packet of a known session passes and moves the session's state. A packet that opens one (TCP: a SYN; ICMP: an
/// echo request; other protocols: any) is asked of the rules. Everything else is dropped as `noSession`. When the
/// table is full, new sessions are refused and existing ones kept.
///
/// The filter also keeps a list of what has changed, for a peer that is to know the sessions too; see
/// `SessionFilter+Peer.swift`.
public struct SessionFilter: ~Copyable {
    public let timers: SessionTimers
    /// The first rule that matches decides about a new session.
    public internal(set) var rules: [FilterRule]
    /// About a session that no rule matches.
    public internal(set) var otherwise: FilterRule.Action
    public internal(set) var table: FlowTable<Session>
    /// Sessions opened by packets that passed here.
    public internal(set) var opened: UInt64 = 0
    /// Sessions forgotten because no packet came.
    public internal(set) var expired: UInt64 = 0
    /// Whether changes are noted for the peer.
    public internal(set) var isRecording = false
    var changes: SessionChanges
    var bulk = BulkTransfer()
    /// Generation of the transfer that the peer is sending; see `beginReceivingBulk`.
    var receivedGeneration: UInt32 = 0

    /// - Parameter capacity: the most sessions
    public init(
        capacity: Int, timers: SessionTimers = .standard, rules: [FilterRule] = [],
        otherwise: FilterRule.Action = .allow
    ) {
        self.timers = timers
        self.rules = rules
        self.otherwise = otherwise
        table = FlowTable(capacity: capacity)
        changes = SessionChanges(capacity: min(capacity, 1 << 16))
    }

    public var count: Int { table.count }

    /// Judges a packet that is to be forwarded, and moves its session's state.
    /// - Parameters:
    ///   - packet: the frame's start, for which `layout` vouches
    ///   - port: where the packet came in
    public mutating func judge(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        guard !layout.isFragment else { return .drop(.fragment) }
        let flow = layout.fiveTuple
        switch flow.protocol {
        case .tcp:
            return judgeTCP(flow, layout.tcpFlags, from: port, at: now)
        case .icmp:
            // Guard: hasTransportHeader says that the 8 bytes of an ICMP header are there.
            guard layout.hasTransportHeader else { return .drop(.malformedIPv4) }
            return judgeICMP(layout, in: packet, from: port, at: now)
        default:
            guard let match = table.find(flow) else { return open(flow, from: port, at: now) }
            return passConnectionless(match, flow.protocol, at: now)
        }
    }

    // MARK: TCP

    private mutating func judgeTCP(
        _ flow: FiveTuple, _ flags: TCPFlags, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        // A SYN never comes with FIN or RST, and only RST, SYN and ACK begin or carry anything.
        if flags.contains(.syn), !flags.isDisjoint(with: [.fin, .rst]) { return .drop(.invalidTCPState) }
        if flags.isDisjoint(with: [.syn, .ack, .rst]) { return .drop(.invalidTCPState) }
        guard let match = table.find(flow) else {
            return flags.isInitialSYN ? open(flow, from: port, at: now) : .drop(.noSession)
        }
        let old = table[match.index].state
        if flags.isInitialSYN, old.isFinished {
            // The ports are used again: the old connection ends here.
            forget(match.index)
            return open(flow, from: port, at: now)
        }
        var new = old
        new.update(by: flags, from: match.direction)
        touch(match.index, from: old, to: new, .tcp, at: now)
        return .pass(match.index)
    }

    // MARK: ICMP

    private mutating func judgeICMP(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        let transport = packet + Int(layout.transportOffset)
        switch transport.readUInt8(at: 0) {
        case 8:
            guard let match = table.find(layout.fiveTuple) else { return open(layout.fiveTuple, from: port, at: now) }
            return passConnectionless(match, .icmp, at: now)
        case 0:
            guard let match = table.find(layout.fiveTuple) else { return .drop(.noSession) }
            return passConnectionless(match, .icmp, at: now)
        case 3, 11, 12:
            // An error is about a packet that its receiver sent, so the quoted flow is a flow of the session. It
            // neither refreshes nor ends the session. Source: RFC 7857, 3; RFC 4787, 12
            let start = transport + ICMPv4Header.length
            let quote = UnsafeRawBufferPointer(start: start, count: packet + Int(layout.endOffset) - start)
            guard let quoted = try? QuotedPacket(quote), quoted.fiveTuple.source == layout.fiveTuple.destination,
                let match = table.find(quoted.fiveTuple)
            else { return .drop(.noSession) }
            return .pass(match.index)
        default:
            return .drop(.noSession)
        }
    }

    // MARK: Sessions

    private mutating func open(_ flow: FiveTuple, from port: PortIndex, at now: Instant) -> FilterVerdict {
        let rule = rules.first { $0.matches(flow, from: port) }
        guard (rule?.action ?? otherwise) == .allow else { return .drop(.policy) }
        let state = SessionState.opening
        let expires = now + timers.timeout(of: state, protocol: flow.protocol)
        switch table.insert(
            original: flow, reply: flow.reversed, value: Session(state: state, rule: rule?.identity ?? .none), expires: expires, now: now)
        {
        case .inserted(let index):
            opened &+= 1
            if isRecording { note(index, at: now) }
            return .pass(index)
        case .conflict(let match):
            return .pass(match.index)
        case .full:
            return .drop(.flowTableFull)
        }
    }

    private mutating func passConnectionless(
        _ match: FlowMatch, _ proto: IPProtocol, at now: Instant
    ) -> FilterVerdict {
        let old = table[match.index].state
        var new = old
        new.updateConnectionless(from: match.direction)
        touch(match.index, from: old, to: new, proto, at: now)
        return .pass(match.index)
    }

    /// Writes a session's new state and time, and notes for the peer what it must know: a new state at once, a
    /// session in use often enough that it does not expire there.
    private mutating func touch(
        _ index: FlowIndex, from old: SessionState, to new: SessionState, _ proto: IPProtocol, at now: Instant
    ) {
        let timeout = timers.timeout(of: new, protocol: proto)
        if new != old { table[index].state = new }
        table.keep(index, until: now + timeout, now: now)
        guard isRecording else { return }
        if new != old || table[index].toldAt < now.nanoseconds &- timeout.nanoseconds / 4 { note(index, at: now) }
    }

    mutating func note(_ index: FlowIndex, at now: Instant) {
        table[index].toldAt = now.nanoseconds
        guard table[index].queuedInRound != changes.round else { return }
        if changes.append(index) { table[index].queuedInRound = changes.round }
    }

    /// Removes a session, and has the peer told.
    mutating func forget(_ index: FlowIndex) {
        if isRecording { changes.appendRemoval(table.original(of: index)) }
        table.remove(index)
    }

    // MARK: Time

    public var deadline: Instant? { table.deadline }

    /// Forgets sessions whose time has come.
    public mutating func advance(to now: Instant) {
        while let index = table.nextExpired(at: now) {
            expired &+= 1
            forget(index)
        }
    }
}

public import LabTime
import Mutants
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
    public internal(set) var timers: SessionTimers
    /// The first rule that matches decides about a new session.
    public internal(set) var rules: [FilterRule]
    /// About a session that no rule matches.
    public internal(set) var otherwise: FilterRule.Action
    public internal(set) var table: FlowTable<Session>
    public internal(set) var nat: SourceNAT
    /// Sessions opened by packets that passed here.
    public internal(set) var opened: UInt64 = 0
    /// Records of the peer whose rule this box does not have, or which denies here.
    public internal(set) var unknownRules: UInt64 = 0
    /// Packets that were judged.
    public internal(set) var lookups: UInt64 = 0
    /// Sessions forgotten because no packet came.
    public internal(set) var expired: UInt64 = 0
    /// Whether changes are noted for the peer.
    public internal(set) var isRecording = false
    var changes: SessionChanges
    var bulk = BulkTransfer()
    /// Generation of the transfer that the peer is sending; see `beginReceivingBulk`.
    var receivedGeneration: UInt32 = 0
    /// Whether that transfer names every session of the pair.
    var receivesEverything = false
    /// Whether the peer is told of sessions that it may not know, so that its own transfer does not name every session.
    var tellsOwn = false
    /// Counts the times that this box became Active, from 1.
    var activeTurn: UInt32 = 1
    /// A session of which more is to be told than its last record held.
    var followUp: (index: FlowIndex, flow: FiveTuple, dirtyParts: Session.DirtyParts)?
    /// What the names that sessions ask for are sorted into.
    public var categories = CategoryTable()
    /// Where the name of an inspected payload is written.
    let nameBuffer: UnsafeMutableRawBufferPointer
    @usableFromInline var defersNewSessions = false
    var deferRound: UInt32 = 1
    /// Whether FTP control connections are read; see `SessionFilter+Pinholes.swift`.
    let readsFTP: Bool
    var controls: FlowTable<FTPControl>
    var pinholes: PinholeTable
    public internal(set) var pinholeTally = PinholeTally()
    var pinholeEvents: [PinholeEvent] = []

    /// - Parameter capacity: the most sessions
    public init(
        capacity: Int, timers: SessionTimers = .standard, rules: [FilterRule] = [],
        otherwise: FilterRule.Action = .allow, nat: consuming SourceNAT = .none, gateways: [ApplicationGateway] = []
    ) {
        self.timers = timers
        self.nat = nat
        self.rules = rules
        self.otherwise = otherwise
        table = FlowTable(capacity: capacity)
        changes = SessionChanges(capacity: min(capacity, 1 << 16))
        readsFTP = gateways.contains(.ftp)
        let pinholeCapacity = readsFTP ? min(capacity, Self.pinholeCapacity) : 1
        controls = FlowTable(capacity: pinholeCapacity)
        pinholes = FlowTable(capacity: pinholeCapacity)
        if readsFTP { pinholeEvents.reserveCapacity(Self.eventCapacity) }
        nameBuffer = .allocate(byteCount: ApplicationReader.longestName, alignment: 1)
    }

    deinit { nameBuffer.deallocate() }

    public var count: Int { table.count }

    /// Judges a packet that is to be forwarded, and moves its session's state.
    /// - Parameters:
    ///   - packet: the frame's start, for which `layout` vouches
    ///   - port: where the packet came in
    public mutating func evaluate(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        lookups &+= 1
        guard !layout.isFragment else { return .drop(.fragment) }
        let flow = layout.fiveTuple
        switch flow.protocol {
        case .tcp:
            return evaluateTCP(layout, in: packet, from: port, at: now)
        case .icmp:
            // Guard: hasTransportHeader says that the 8 bytes of an ICMP header are there.
            guard layout.hasTransportHeader else { return .drop(.malformedIPv4) }
            return evaluateICMP(layout, in: packet, from: port, at: now)
        default:
            guard let match = session(of: flow) else { return open(layout, in: packet, from: port, at: now) }
            if isFirstPayload(match, layout) { inspect(match.index, layout, in: packet, at: now) }
            return passConnectionless(match, flow.protocol, at: now)
        }
    }

    private func isFirstPayload(_ match: FlowMatch, _ layout: FrameLayout) -> Bool {
        table[match.index].application == .unseen && match.direction == .original && layout.payloadLength > 0
            && layout.hasTransportHeader
    }

    // MARK: TCP

    private mutating func evaluateTCP(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        let flow = layout.fiveTuple
        let flags = layout.tcpFlags
        // A SYN never comes with FIN or RST, and only RST, SYN and ACK begin or carry anything.
        if flags.contains(.syn), !flags.isDisjoint(with: [.fin, .rst]) { return .drop(.invalidTCPState) }
        if flags.isDisjoint(with: [.syn, .ack, .rst]) { return .drop(.invalidTCPState) }
        guard let match = session(of: flow) else {
            return flags.isInitialSYN ? open(layout, in: packet, from: port, at: now) : .drop(.noSession)
        }
        let old = table[match.index].state
        if flags.isInitialSYN, old.isFinished {
            // The ports are used again: the old connection ends here.
            forget(match.index)
            return open(layout, in: packet, from: port, at: now)
        }
        if isFirstPayload(match, layout) { inspect(match.index, layout, in: packet, at: now) }
        if table[match.index].isControl, layout.payloadLength > 0,
            let refusal = readControl(match, layout, in: packet, at: now)
        {
            return .drop(refusal)
        }
        var new = old
        new.update(by: flags, from: match.direction)
        if new.isFinished, table[match.index].isControl { closePinhole(of: table.original(of: match.index)) }
        // A reset may be forged: it never prolongs what it seems to end. Source: RFC 7857, 2 and 3
        touch(
            match, from: old, to: new, .tcp, prolongs: !flags.contains(.rst) && mayProlong(match, old), at: now)
        return .pass(match.index)
    }

    // MARK: ICMP

    private mutating func evaluateICMP(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        let transport = packet + Int(layout.transportOffset)
        switch transport.readUInt8(at: 0) {
        case 8, 13:
            guard let match = table.find(layout.fiveTuple) else {
                return open(layout, in: packet, from: port, at: now)
            }
            return passConnectionless(match, .icmp, at: now)
        case 0, 14:
            guard let match = table.find(layout.fiveTuple) else { return .drop(.noSession) }
            return passConnectionless(match, .icmp, at: now)
        case 3, 11, 12:
            // An error is about a packet that its receiver sent, quoted as it left this box: the packets that would
            // answer it are a flow of the session. The error neither refreshes nor ends the session.
            // Source: RFC 7857, 3; RFC 4787, REQ-12
            let start = transport + ICMPv4Header.length
            let quote = UnsafeRawBufferPointer(start: start, count: packet + Int(layout.endOffset) - start)
            guard let quoted = try? QuotedPacket(quote), quoted.fiveTuple.source == layout.fiveTuple.destination,
                let match = table.find(quoted.fiveTuple.reversed)
            else { return .drop(.noSession) }
            return .pass(match.index)
        default:
            return .drop(.noSession)
        }
    }

    // MARK: Sessions

    private mutating func open(
        _ layout: FrameLayout, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        let flow = layout.fiveTuple
        var session = Session(state: .opening)
        var choice = TranslationChoice.byRules
        let expectation = pinholes.count > 0 ? expectation(of: flow, at: now) : nil
        if let expectation {
            session.rule = table[expectation.control].rule
            session.isExpected = true
            choice = translation(of: flow, expectedBy: expectation)
        } else {
            // Rules see inside addresses, where a mapping hides one.
            let destination = insideDestination(of: flow)
            let rule = rules.first { $0.matches(destination, from: port) }
            guard (rule?.action ?? otherwise) == .allow || Mutant.isOn(.allowsEverything) else { return .drop(.policy) }
            session.rule = rule?.identity ?? .none
        }
        if defersNewSessions { session.awaitedInRound = deferRound }
        let outgoing: FiveTuple
        var refusal: DropReason?
        switch translate(opening: flow, &session, from: choice, at: now) {
        case .outgoing(let translated): outgoing = translated
        case .blocked(let translated):
            outgoing = translated
            refusal = .mappingFilter
        case .refused(let reason): return .drop(reason)
        }
        session.isControl = isControl(outgoing)
        let verdict = enter(session, flow, outgoing, refusal, at: now)
        if let expectation, case .pass = verdict { use(expectation, for: flow) }
        if case .pass(let index) = verdict, flow.protocol == .udp, layout.payloadLength > 0, layout.hasTransportHeader {
            inspect(index, layout, in: packet, at: now)
        }
        return verdict
    }

    private mutating func enter(
        _ session: Session, _ flow: FiveTuple, _ outgoing: FiveTuple, _ refusal: DropReason?, at now: Instant
    ) -> FilterVerdict {
        let expires = now + timers.timeout(of: .opening, protocol: flow.protocol)
        switch table.insert(original: flow, reply: outgoing.reversed, value: session, expires: expires, now: now) {
        case .inserted(let index):
            opened &+= 1
            use(session, of: flow, at: now)
            if session.isControl { beginControl(flow, at: now) }
            if let refusal { return .drop(refusal) }
            if isRecording { note(index, .state, at: now) }
            return .pass(index)
        case .conflict(let match) where table[match.index].isBlocked:
            // Now both sides have sent to each other: this session is the one for both.
            nat.hold(session, ends: false)
            discard(match.index)
            nat.hold(session, ends: true)
            return enter(session, flow, outgoing, refusal, at: now)
        case .conflict:
            abandon(session)
            return .drop(.flowConflict)
        case .full:
            abandon(session)
            return .drop(.flowTableFull)
        }
    }

    /// The session that a packet belongs to. A blocked one is asked of the rules again by each packet.
    @inline(__always)
    private mutating func session(of flow: FiveTuple) -> FlowMatch? {
        guard let match = table.find(flow) else { return nil }
        guard table[match.index].isBlocked else { return match }
        discard(match.index)
        return nil
    }

    private mutating func passConnectionless(
        _ match: FlowMatch, _ proto: IPProtocol, at now: Instant
    ) -> FilterVerdict {
        let old = table[match.index].state
        var new = old
        new.updateConnectionless(from: match.direction)
        touch(match, from: old, to: new, proto, prolongs: mayProlong(match, old), at: now)
        return .pass(match.index)
    }

    /// Writes a session's new state and time, and notes for the peer what it must know: a new state at once, a
    /// session in use often enough that it does not expire there.
    private mutating func touch(
        _ match: FlowMatch, from old: SessionState, to new: SessionState, _ proto: IPProtocol, prolongs: Bool,
        at now: Instant
    ) {
        let index = match.index
        let timeout = timers.timeout(of: new, protocol: proto)
        if new != old { table[index].state = new }
        let expires = now + timeout
        if prolongs || expires < table.expiry(of: index) { table.keep(index, until: expires, now: now) }
        guard isRecording else { return }
        if new != old || table[index].toldAt < now.nanoseconds &- timeout.nanoseconds / 4 {
            note(index, .state, at: now)
        }
    }

    /// Whether a packet keeps its session: not one from outside before the inside has said anything in it, so that
    /// nobody out there keeps a mapping alive alone. Source: RFC 4787, REQ-6
    private func mayProlong(_ match: FlowMatch, _ state: SessionState) -> Bool {
        match.direction == .reply || state.reply != .closed || table[match.index].destination.isNone
            || !table[match.index].source.isNone
    }

    mutating func note(_ index: FlowIndex, _ dirtyParts: Session.DirtyParts, at now: Instant) {
        if dirtyParts == .state { table[index].toldAt = now.nanoseconds }
        guard table[index].queuedInRound != changes.round else {
            table[index].dirtyParts.formUnion(dirtyParts)
            return
        }
        table[index].dirtyParts = dirtyParts
        if changes.append(index) { table[index].queuedInRound = changes.round }
    }

    /// Removes a session, and has the peer told.
    mutating func forget(_ index: FlowIndex) {
        if isRecording, !table[index].isBlocked { changes.appendRemoval(table.original(of: index)) }
        discard(index)
    }

    // MARK: Time

    public var deadline: Instant? {
        guard let first = table.deadline, let second = pinholes.deadline else {
            return table.deadline ?? pinholes.deadline
        }
        return min(first, second)
    }

    /// Forgets sessions and pinholes whose time has come.
    public mutating func advance(to now: Instant) {
        expirePinholes(at: now)
        while let index = table.nextExpired(at: now) {
            expired &+= 1
            forget(index)
        }
    }
}

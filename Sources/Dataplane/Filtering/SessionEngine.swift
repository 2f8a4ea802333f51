public import LabTime
public import Wire

/// A stateful filter with source NAT and application gateways: which packets pass, by session, and how they leave.
///
/// A packet of a known session passes and moves the session's state. A packet that opens one (TCP: a SYN; ICMP: an
/// echo request; other protocols: any) meets a pinhole or the policy, then the translator. Everything else is dropped
/// as `noSession`.
///
/// | part | decides |
/// |---|---|
/// | `table` | which session a packet belongs to, and how long that is remembered |
/// | `policy` | which sessions may be opened |
/// | `nat` | as what a session's packets leave |
/// | `gateways` | which connections an open one has announced |
/// | `inspector` | what a session is used for, by its first payload |
///
/// It knows nothing of a peer: a `SessionObserver` learns which sessions changed, and records of a peer are adopted by
/// `adopt`.
@usableFromInline
package struct SessionEngine<Family: AddressFamily>: ~Copyable {
    @usableFromInline package internal(set) var table: SessionTable<Family>
    @usableFromInline package internal(set) var policy: SessionPolicy<Family>
    @usableFromInline package internal(set) var nat: SourceNAT<Family>
    @usableFromInline package var gateways: ApplicationGateways<Family>
    @usableFromInline package var inspector = NameInspector()
    /// Packets that were evaluated.
    @usableFromInline package internal(set) var lookups: UInt64 = 0

    /// - Parameter capacity: the most sessions
    package init(
        capacity: Int, timers: SessionTimers = .standard, rules: [IPFilterRule<Family>] = [],
        otherwise: FilterAction = .allow, nat: consuming SourceNAT<Family> = .none, gateways: [ApplicationGateway] = []
    ) {
        table = SessionTable(capacity: capacity, timers: timers)
        policy = SessionPolicy(rules: rules, otherwise: otherwise)
        self.nat = nat
        self.gateways = ApplicationGateways(gateways, capacity: capacity)
    }

    @inlinable package var count: Int { table.count }

    /// Decides about a packet that is to be forwarded, and moves its session's state.
    /// - Parameters:
    ///   - packet: the frame's start, for which `layout` vouches
    ///   - port: where the packet came in
    ///   - observer: learns what the packet did to its session
    @inlinable
    package mutating func evaluate<Observer: SessionObserver & ~Copyable>(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant,
        reporting observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        lookups &+= 1
        guard !layout.isFragment else { return .drop(.fragment) }
        switch layout.fiveTuple.protocol {
        case .tcp:
            return evaluateTCP(layout, in: packet, from: port, at: now, &observer)
        case Family.controlProtocol:
            // Guard: hasTransportHeader says that the 8 bytes of an ICMP header are there.
            guard layout.hasTransportHeader else {
                return .drop(Family.version == .ipv4 ? .malformedIPv4 : .malformedIPv6)
            }
            return evaluateICMP(layout, in: packet, from: port, at: now, &observer)
        default:
            return evaluateConnectionless(layout, in: packet, from: port, at: now, &observer)
        }
    }

    // MARK: TCP

    @inlinable
    @inline(__always)
    mutating func evaluateTCP<Observer: SessionObserver & ~Copyable>(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant,
        _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        let flags = layout.tcpFlags
        // A SYN never comes with FIN or RST, and only RST, SYN and ACK begin or carry anything.
        if flags.contains(.syn), !flags.isDisjoint(with: [.fin, .rst]) { return .drop(.invalidTCPState) }
        if flags.isDisjoint(with: [.syn, .ack, .rst]) { return .drop(.invalidTCPState) }
        guard let match = session(of: layout.fiveTuple) else {
            return flags.isInitialSYN ? open(layout, in: packet, from: port, at: now, &observer) : .drop(.noSession)
        }
        let old = table[match.index].state
        if flags.isInitialSYN, old.isFinished {
            // The ports are used again: the old connection ends here.
            end(match.index, &observer)
            return open(layout, in: packet, from: port, at: now, &observer)
        }
        if isFirstPayload(match, layout) { inspect(match.index, layout, in: packet, at: now, &observer) }
        if table[match.index].isControl, layout.payloadLength > 0,
            !readControl(match, layout, in: packet, at: now, &observer)
        {
            return .drop(.announcement)
        }
        var new = old
        new.update(by: flags, from: match.direction)
        if new.isFinished, table[match.index].isControl { gateways.closePinhole(of: table.original(of: match.index)) }
        // A reset may be forged: it never prolongs what it seems to end. Source: RFC 7857, 2 and 3
        return pass(match, from: old, to: new, .tcp, mayProlong: !flags.contains(.rst), at: now, &observer)
    }

    // MARK: ICMP

    @inlinable
    mutating func evaluateICMP<Observer: SessionObserver & ~Copyable>(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant,
        _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        let transport = packet + Int(layout.transportOffset)
        switch Family.controlKind(type: transport.readUInt8(at: 0)) {
        case .query:
            guard let match = table.find(layout.fiveTuple) else {
                return open(layout, in: packet, from: port, at: now, &observer)
            }
            return passConnectionless(match, Family.controlProtocol, at: now, &observer)
        case .answer:
            guard let match = table.find(layout.fiveTuple) else { return .drop(.noSession) }
            return passConnectionless(match, Family.controlProtocol, at: now, &observer)
        case .error:
            // An error is about a packet that its receiver sent, quoted as it left this box: the packets that would
            // answer it are a flow of the session. The error neither refreshes nor ends the session.
            // Source: RFC 7857, 3; RFC 4787, REQ-12
            let start = transport + ICMPv4Header.length
            let quote = UnsafeRawBufferPointer(start: start, count: packet + Int(layout.endOffset) - start)
            guard let quoted = Family.quoted(quote), quoted.fiveTuple.source == layout.fiveTuple.destination,
                let match = table.find(quoted.fiveTuple.reversed)
            else { return .drop(.noSession) }
            return .pass(match.index)
        case .other: return .drop(.noSession)
        }
    }

    // MARK: UDP and others

    @inlinable
    mutating func evaluateConnectionless<Observer: SessionObserver & ~Copyable>(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant,
        _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        guard let match = session(of: layout.fiveTuple) else {
            return open(layout, in: packet, from: port, at: now, &observer)
        }
        if isFirstPayload(match, layout) { inspect(match.index, layout, in: packet, at: now, &observer) }
        return passConnectionless(match, layout.fiveTuple.protocol, at: now, &observer)
    }

    @inlinable
    mutating func passConnectionless<Observer: SessionObserver & ~Copyable>(
        _ match: FlowMatch, _ proto: IPProtocol, at now: Instant, _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        let old = table[match.index].state
        var new = old
        new.updateConnectionless(from: match.direction)
        return pass(match, from: old, to: new, proto, mayProlong: true, at: now, &observer)
    }

    // MARK: A known session

    /// The session that a packet belongs to. A blocked one is asked of the policy again by each packet.
    @inline(__always)
    @inlinable
    mutating func session(of flow: FlowKey<Family>) -> FlowMatch? {
        guard let match = table.find(flow) else { return nil }
        guard table[match.index].isBlocked else { return match }
        discard(match.index)
        return nil
    }

    @inlinable
    mutating func pass<Observer: SessionObserver & ~Copyable>(
        _ match: FlowMatch, from old: SessionState, to new: SessionState, _ proto: IPProtocol, mayProlong: Bool,
        at now: Instant, _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        let timeout = table.move(
            match.index, from: old, to: new, proto, prolongs: mayProlong && keepsAlive(match, old), at: now)
        observer.sessionChanged(match.index, new == old ? .refreshed(timeout) : .state, at: now)
        return .pass(match.index)
    }

    /// Whether a packet keeps its session: not one from outside before the inside has sent anything in it, so that
    /// nobody out there keeps a mapping alive alone. Source: RFC 4787, REQ-6
    @inlinable
    func keepsAlive(_ match: FlowMatch, _ state: SessionState) -> Bool {
        match.direction == .reply || state.reply != .closed || table[match.index].destination.isNone
            || !table[match.index].source.isNone
    }

    /// How a packet of a session leaves; see `SessionTable.outgoing`.
    @inlinable
    package func outgoing(of index: FlowIndex, arrivedAs flow: FlowKey<Family>) -> FlowKey<Family> {
        table.outgoing(of: index, arrivedAs: flow)
    }
}

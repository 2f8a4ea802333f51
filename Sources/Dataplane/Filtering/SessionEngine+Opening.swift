public import LabTime
public import Wire

extension SessionEngine {
    /// A packet that would open a session: admitted by a pinhole or the policy, translated, entered, inspected.
    @inlinable
    mutating func open<Observer: SessionObserver & ~Copyable>(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant,
        _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        let flow = layout.fiveTuple
        var session = Session(state: .opening)
        var choice = TranslationChoice.byRules
        let expectation = gateways.pinholeCount > 0 ? expectation(of: flow, at: now) : nil
        if let expectation {
            session.rule = table[expectation.control].rule
            session.isExpected = true
            choice = translation(of: flow, expectedBy: expectation)
        } else {
            // Rules see inside addresses, where a mapping hides one.
            guard let rule = policy.admit(nat.insideDestination(of: flow), from: port) else { return .drop(.policy) }
            session.rule = rule
        }
        let outgoing: FlowKey<Family>
        var refusal: DropReason?
        switch nat.translate(opening: flow, &session, from: choice, beside: table, at: now) {
        case .outgoing(let translated): outgoing = translated
        case .blocked(let translated):
            outgoing = translated
            refusal = .mappingFilter
        case .refused(let reason): return .drop(reason)
        }
        session.isControl = gateways.isControl(outgoing)
        let verdict = enter(session, flow, outgoing, refusal, at: now, &observer)
        guard case .pass(let index) = verdict else { return verdict }
        if let expectation { gateways.use(expectation.pinhole, for: flow, of: expectation.controlFlow) }
        if flow.protocol == .udp, layout.payloadLength > 0, layout.hasTransportHeader {
            inspect(index, layout, in: packet, at: now, &observer)
        }
        return verdict
    }

    @inlinable
    mutating func enter<Observer: SessionObserver & ~Copyable>(
        _ session: Session, _ flow: FlowKey<Family>, _ outgoing: FlowKey<Family>, _ refusal: DropReason?,
        at now: Instant,
        _ observer: inout Observer
    ) -> FilterVerdict
    where Observer.Family == Family {
        switch table.open(session, flow, leavingAs: outgoing, at: now) {
        case .inserted(let index):
            nat.use(session, to: flow.destination, at: now)
            if session.isControl { gateways.beginControl(flow, at: now) }
            observer.sessionOpened(index, isBlocked: session.isBlocked, at: now)
            return refusal.map { .drop($0) } ?? .pass(index)
        case .conflict(let match) where table[match.index].isBlocked:
            // Now both sides have sent to each other: this session is the one for both.
            nat.hold(session, ends: false)
            discard(match.index)
            nat.hold(session, ends: true)
            return enter(session, flow, outgoing, refusal, at: now, &observer)
        case .conflict:
            nat.abandon(session)
            return .drop(.flowConflict)
        case .full:
            nat.abandon(session)
            return .drop(.flowTableFull)
        }
    }

    // MARK: Announced connections

    /// The grounds on which a connection that somebody announced may be opened.
    @usableFromInline
    struct Expectation {
        @usableFromInline var pinhole: FlowIndex
        /// The session of the control connection.
        @usableFromInline var control: FlowIndex
        /// The table's key of that session.
        @usableFromInline var controlFlow: FlowKey<Family>

        @inlinable
        init(pinhole: FlowIndex, control: FlowIndex, controlFlow: FlowKey<Family>) {
            self.pinhole = pinhole
            self.control = control
            self.controlFlow = controlFlow
        }
    }

    @inlinable
    func expectation(of flow: FlowKey<Family>, at now: Instant) -> Expectation? {
        guard let (pinhole, controlFlow) = gateways.pinhole(for: flow, at: now),
            let control = table.find(controlFlow), control.direction == .original,
            !table[control.index].state.isFinished
        else { return nil }
        return Expectation(pinhole: pinhole, control: control.index, controlFlow: controlFlow)
    }

    /// A data connection is translated as the side of the control connection that it comes from is.
    @inlinable
    func translation(of flow: FlowKey<Family>, expectedBy expectation: Expectation) -> TranslationChoice {
        let original = expectation.controlFlow
        let session = table[expectation.control]
        let outgoing = outgoing(of: expectation.control, arrivedAs: original)
        let isOriginators = flow.source == original.source
        let (own, seen) =
            isOriginators ? (original.source, outgoing.source) : (outgoing.destination, original.destination)
        guard own != seen else { return .none }
        let binding = isOriginators ? session.source : session.destination
        // A pool that is gone grants nothing any more.
        return binding.isNone ? .byRules : nat.poolIndex(of: binding).map { .pool($0) } ?? .byRules
    }

    /// Reads a segment with payload of a control connection.
    /// - Returns: whether it may pass
    @inlinable
    mutating func readControl<Observer: SessionObserver & ~Copyable>(
        _ match: FlowMatch, _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, at now: Instant,
        _ observer: inout Observer
    ) -> Bool
    where Observer.Family == Family {
        let reading = gateways.read(
            layout, in: packet, of: table.original(of: match.index), from: match.direction,
            leavingAs: outgoing(of: match.index, arrivedAs: layout.fiveTuple), at: now)
        if let pinhole = reading.pinhole { observer.sessionChanged(match.index, .announcement(pinhole), at: now) }
        return !reading.isRefused
    }

    // MARK: The first payload

    @inline(__always)
    @inlinable
    func isFirstPayload(_ match: FlowMatch, _ layout: IPLayout<Family>) -> Bool {
        table[match.index].application == .unseen && match.direction == .original && layout.payloadLength > 0
            && layout.hasTransportHeader
    }

    /// Looks at the first payload of a session's originator.
    @inlinable
    mutating func inspect<Observer: SessionObserver & ~Copyable>(
        _ index: FlowIndex, _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, at now: Instant,
        _ observer: inout Observer
    ) where Observer.Family == Family {
        let payload = UnsafeRawBufferPointer(start: packet + Int(layout.payloadOffset), count: layout.payloadLength)
        let (application, category) = inspector.read(
            payload, layout.fiveTuple.protocol, to: layout.fiveTuple.destinationPort)
        table[index].application = application
        if let category { table[index].category = category }
        observer.sessionChanged(index, .application, at: now)
    }
}

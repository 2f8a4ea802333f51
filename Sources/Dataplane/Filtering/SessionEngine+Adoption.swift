public import LabTime
public import Wire

/// What became of a peer's record.
@usableFromInline
package enum SessionAdoption: Hashable, Sendable, BitwiseCopyable {
    case updated(FlowIndex)
    case inserted(FlowIndex)
    /// The session has moved on here, or its flows are another's.
    case ignored
    /// The policy here has no such rule, or the rule denies: the session is none of this box.
    case refusedByPolicy
    case full
}

extension SessionEngine {
    /// Enters a session of the peer, or brings it up to date.
    /// - Parameter onlyNew: a session that is known here stays as it is
    @inlinable
    package mutating func adopt(_ record: SessionRecord<Family>, onlyNew: Bool, at now: Instant) -> SessionAdoption {
        let match = table.find(record.flow)
        if onlyNew, match != nil { return .ignored }
        guard let state = record.sessionState else { return .ignored }
        guard policy.allows(RuleIdentity(rawValue: record.rule)) else {
            // A state that this box's own rules would not let come to be.
            if let match { discard(match.index) }
            return .refusedByPolicy
        }
        let outgoing = record.outgoing
        let expires = now + min(table.timeout(of: state, record.flow.protocol), record.remaining)
        if let match {
            if match.direction == .original, self.outgoing(of: match.index, arrivedAs: record.flow) == outgoing {
                update(match.index, to: state, by: record, expires: expires, at: now)
                return .updated(match.index)
            }
            // Opened from the other side since, or again with another mapping.
            discard(match.index)
        }
        // Of a session that has ended at the peer, which this box was not told yet.
        if !onlyNew, let stale = table.find(outgoing.reversed) { discard(stale.index) }
        return enter(record, state, leavingAs: outgoing, expires: expires, evicts: !onlyNew, at: now)
    }

    @inlinable
    mutating func update(
        _ index: FlowIndex, to state: SessionState, by record: SessionRecord<Family>, expires: Instant, at now: Instant
    ) {
        table[index].state = state
        if state.isFinished, table[index].isControl { gateways.closePinhole(of: record.flow) }
        table[index].rule = RuleIdentity(rawValue: record.rule)
        adoptApplication(of: record, into: index)
        if record.flags.contains(.formerPool) { adoptForeign(index, isRetired: true, at: now) }
        table.keep(index, until: expires, at: now)
    }

    @inlinable
    mutating func enter(
        _ record: SessionRecord<Family>, _ state: SessionState, leavingAs outgoing: FlowKey<Family>, expires: Instant,
        evicts: Bool,
        at now: Instant
    ) -> SessionAdoption {
        var session = Session(state: state, rule: RuleIdentity(rawValue: record.rule))
        session.isControl = gateways.isControl(outgoing)
        session.isExpected = record.flags.contains(.pinhole)
        if session.isExpected { gateways.closePinhole(usedBy: record.flow) }
        guard adoptMappings(of: record, &session, evicts: evicts, at: now) else {
            nat.abandon(session)
            return .full
        }
        switch table.enter(session, record.flow, leavingAs: outgoing, expires: expires, at: now) {
        case .inserted(let index):
            adoptApplication(of: record, into: index)
            nat.use(session, to: record.flow.destination, at: now)
            return .inserted(index)
        case .conflict:
            nat.abandon(session)
            return .ignored
        case .full:
            nat.abandon(session)
            return .full
        }
    }

    @inlinable
    mutating func adoptApplication(of record: SessionRecord<Family>, into index: FlowIndex) {
        guard record.flags.contains(.inspected), let application = Application(rawValue: record.application) else {
            return
        }
        table[index].application = application
        table[index].category = record.category
    }

    /// What the peer has learned of a session that is known here.
    @inlinable
    package mutating func adopt(_ metadata: MetadataRecord<Family>) {
        guard let match = table.find(metadata.flow), match.direction == .original,
            let application = Application(rawValue: metadata.application)
        else { return }
        table[match.index].application = application
        table[match.index].category = metadata.category
        table[match.index].rule = RuleIdentity(rawValue: metadata.rule)
    }

    // MARK: Pinholes

    @inlinable package var opensPinholes: Bool { gateways.readsFTP }

    /// The place of what a control connection has announced.
    @inlinable
    package func pinhole(ofControl control: FlowKey<Family>) -> FlowIndex? { gateways.place(ofControl: control) }

    /// Opens a pinhole of the peer.
    /// - Returns: its place; nil where there is no room
    @inlinable
    package mutating func adopt(_ pinhole: PinholeRecord<Family>, at now: Instant) -> FlowIndex? {
        gateways.adopt(pinhole, at: now)
    }

    /// The next pinhole in the order of places; it may be removed during the walk.
    @inlinable package func nextPinhole(after place: FlowIndex?) -> FlowIndex? { gateways.pinholes.next(after: place) }

    @inlinable package mutating func removePinhole(_ place: FlowIndex) { gateways.pinholes.remove(place) }

    // MARK: Mappings

    /// Enters the mappings of a session of the peer.
    /// - Parameter evicts: whether sessions here that have its external endpoint from another inside are removed
    /// - Returns: false where there is no room, or the endpoint stays another's
    @inlinable
    mutating func adoptMappings(
        of record: SessionRecord<Family>, _ session: inout Session, evicts: Bool, at now: Instant
    ) -> Bool {
        let (flow, outgoing) = (record.flow, record.outgoing)
        session.isTranslated = flow != outgoing
        guard session.isTranslated else { return true }
        if record.flags.contains(.sourceTranslated) {
            guard
                adopt(
                    inside: NATEndpoint(flow.source, flow.sourcePort),
                    external: NATEndpoint(outgoing.source, outgoing.sourcePort), flow.protocol, &session.source, evicts,
                    record.flags.contains(.formerPool), at: now)
            else { return false }
        }
        guard record.flags.contains(.destinationTranslated) else { return true }
        // Held while the other one is sought, which may evict.
        let own = session
        nat.hold(own, ends: false)
        defer { nat.hold(own, ends: true) }
        return adopt(
            inside: NATEndpoint(outgoing.destination, outgoing.destinationPort),
            external: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol, &session.destination, evicts,
            record.flags.contains(.formerPool), at: now)
    }

    @inlinable
    mutating func adopt(
        inside: NATEndpoint<Family>, external: NATEndpoint<Family>, _ proto: IPProtocol,
        _ result: inout NATBindingIndex,
        _ evicts: Bool, _ isRetired: Bool, at now: Instant
    ) -> Bool {
        for _ in 0..<2 {
            switch nat.adopt(inside: inside, external: external, proto, isRetired: isRetired, at: now) {
            case .adopted(let index):
                result = index
                return true
            case .foreign: return true
            case .taken(let index):
                guard evicts else { return false }
                evict(index)
            case .full: return false
            }
        }
        return false
    }

    /// Ends every session of a mapping, and so the mapping. Walks over the whole table: only a record of the peer can
    /// contradict this box, and only where the peer could not report a session's end before.
    @inlinable
    mutating func evict(_ binding: NATBindingIndex) {
        var index = table.next(after: nil)
        while let place = index {
            if table[place].source == binding || table[place].destination == binding { discard(place) }
            index = table.next(after: place)
        }
    }

    /// Gives a session of the peer its mappings, where pools have come that have them, or the peer says that none has.
    @inlinable
    mutating func adoptForeign(_ index: FlowIndex, isRetired: Bool = false, at now: Instant) {
        let flow = table.original(of: index)
        let outgoing = outgoing(of: index, arrivedAs: flow)
        func adopted(_ inside: NATEndpoint<Family>, _ external: NATEndpoint<Family>) -> NATBindingIndex {
            guard isRetired || nat.knows(external, flow.protocol),
                case .adopted(let binding) = nat.adopt(
                    inside: inside, external: external, flow.protocol, isRetired: isRetired, at: now)
            else { return .none }
            nat.retain(binding)
            return binding
        }
        if table[index].source.isNone, outgoing.source != flow.source {
            table[index].source = adopted(
                NATEndpoint(flow.source, flow.sourcePort), NATEndpoint(outgoing.source, outgoing.sourcePort))
            nat.contact(table[index].source, flow.destination, ends: false, at: now)
        }
        if table[index].destination.isNone, outgoing.destination != flow.destination {
            table[index].destination = adopted(
                NATEndpoint(outgoing.destination, outgoing.destinationPort),
                NATEndpoint(flow.destination, flow.destinationPort))
        }
    }
}

public import LabTime
public import Wire

// What a session filter does for translated sessions. A session's two five-tuples in the table are the flows as they
// arrive, so each is also the reverse of how the other leaves: a packet of a known session needs nothing but them.
extension SessionFilter {
    /// How a packet of a session leaves.
    /// - Parameter flow: as it arrived, one of the session's two
    public func outgoing(of index: FlowIndex, arrivedAs flow: FiveTuple) -> FiveTuple {
        let original = table.original(of: index)
        // A session with one five-tuple is answered by the same one.
        return flow == original ? (table.reply(of: index) ?? original).reversed : original.reversed
    }

    /// What a packet that would open a session leaves as.
    enum Opening {
        case outgoing(FiveTuple)
        /// The mapping that it is for does not let it in yet; that it was sent lets answers in here.
        case blocked(FiveTuple)
        case refused(DropReason)
    }

    /// The flow with the inside destination in place of an external one that stands for it.
    func insideDestination(of flow: FiveTuple) -> FiveTuple {
        guard nat.isActive,
            let index = nat.binding(ofExternal: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol)
        else { return flow }
        return flow.replacingDestination(nat[index].inside)
    }

    /// Chooses the mappings of a new session. They are the caller's to `use` or to `abandon`.
    mutating func translate(
        opening flow: FiveTuple, _ session: inout Session, from choice: TranslationChoice, at now: Instant
    ) -> Opening {
        guard nat.isActive else { return .outgoing(flow) }
        var outgoing = flow
        let pool: Int? =
            switch choice {
            case .byRules: nat.pool(for: flow)
            case .pool(let pool): pool
            case .none: nil
            }
        if let pool {
            guard
                let index = nat.mapping(
                    of: NATEndpoint(flow.source, flow.sourcePort), flow.protocol, pool: pool, at: now)
            else { return .refused(nat.isFull ? .flowTableFull : .translationPortsExhausted) }
            session.source = index
            outgoing = outgoing.replacingSource(nat[index].external)
        }
        if nat.isExternal(flow.destination) {
            switch admit(flow, as: outgoing) {
            case .admitted(let index):
                session.destination = index
                outgoing = outgoing.replacingDestination(nat[index].inside)
            case .refused(.mappingFilter) where !session.source.isNone:
                session.isTranslated = true
                session.isBlocked = true
                return .blocked(outgoing)
            case .refused(let reason):
                abandon(session)
                return .refused(reason)
            }
        }
        session.isTranslated = outgoing != flow
        return .outgoing(outgoing)
    }

    /// Whether a packet for an external endpoint gets through: by the pool's filtering, or because the inside behind it
    /// has sent to where it comes from.
    private func admit(_ flow: FiveTuple, as outgoing: FiveTuple) -> SourceNAT.Admission {
        if let match = table.find(outgoing), table[match.index].isBlocked,
            let binding = nat.binding(ofExternal: NATEndpoint(flow.destination, flow.destinationPort), flow.protocol)
        {
            return .admitted(binding)
        }
        return nat.admit(flow, from: outgoing.source)
    }

    /// Enters the mappings of a session of the peer.
    /// - Parameter evicts: whether sessions here that have its external endpoint from another inside give way
    /// - Returns: false where there is no room, or the endpoint stays another's
    mutating func adoptMappings(
        of record: SessionRecord, _ session: inout Session, evicts: Bool, at now: Instant
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

    private mutating func adopt(
        inside: NATEndpoint, external: NATEndpoint, _ proto: IPProtocol, _ result: inout NATBindingIndex,
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

    /// Ends every session of a mapping, and so the mapping. Walks over the whole table: only what the peer tells can
    /// contradict this box, and only where it could not tell of a session's end before.
    private mutating func evict(_ binding: NATBindingIndex) {
        var index = table.next(after: nil)
        while let place = index {
            if table[place].source == binding || table[place].destination == binding { discard(place) }
            index = table.next(after: place)
        }
    }

    // MARK: Other pools

    /// Puts other pools and rules of translation into effect. Sessions keep their addresses and ports until they end;
    /// those of the peer whose pool was not known here get their mapping.
    /// - Parameters:
    ///   - former: what the peer may still grant; see `SourceNAT.replace`
    ///   - timers: what each packet from now on prolongs its session by
    /// - Complexity: O(sessions + mappings)
    public mutating func install(
        pools: [NATPool], former: [NATPool] = [], rules: [NATRule], timers: SessionTimers, at now: Instant
    ) {
        self.timers = timers
        let counted = nat.filtersByAddress
        nat.replace(pools: pools, former: former, rules: rules)
        let counts = nat.filtersByAddress
        if counted { nat.forgetContacts() }
        var next = table.next(after: nil)
        while let index = next {
            next = table.next(after: index)
            guard table[index].isTranslated else { continue }
            if counts { nat.contact(table[index].source, table.original(of: index).destination, ends: false, at: now) }
            adoptForeign(index, at: now)
            // What the peer was told so far does not say that it is to keep the mapping without a pool.
            if isRecording, !table[index].isBlocked, isOfFormerPool(table[index]) { note(index, .state, at: now) }
        }
    }

    /// Gives a session of the peer its mappings, where pools have come that have them, or the peer says that none has.
    mutating func adoptForeign(_ index: FlowIndex, isRetired: Bool = false, at now: Instant) {
        let flow = table.original(of: index)
        let outgoing = outgoing(of: index, arrivedAs: flow)
        func adopted(_ inside: NATEndpoint, _ external: NATEndpoint) -> NATBindingIndex {
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

    /// Whether a mapping of the session is retired, and its peer may keep it all the same.
    func isOfFormerPool(_ session: Session) -> Bool {
        guard nat.retiredCount > 0 else { return false }
        return isOfFormerPool(session.source) || isOfFormerPool(session.destination)
    }

    private func isOfFormerPool(_ index: NATBindingIndex) -> Bool {
        !index.isNone && nat[index].isRetired && !nat.machineAddresses.contains(nat[index].external.address)
    }

    // MARK: Users of mappings

    /// The session is in the table: its mappings live at least as long.
    mutating func use(_ session: Session, of flow: FiveTuple, at now: Instant) {
        guard session.isTranslated else { return }
        nat.retain(session.source)
        nat.retain(session.destination)
        nat.contact(session.source, flow.destination, ends: false, at: now)
    }

    /// The session did not come to be.
    mutating func abandon(_ session: Session) {
        nat.endIfUnused(session.source)
        nat.endIfUnused(session.destination)
    }

    /// Removes a session without telling the peer.
    mutating func discard(_ index: FlowIndex) {
        let session = table[index]
        if session.isControl { endControl(table.original(of: index)) }
        if session.isTranslated {
            nat.contact(
                session.source, table.original(of: index).destination, ends: true, at: Instant(nanoseconds: 0))
            nat.release(session.source)
            nat.release(session.destination)
        }
        table.remove(index)
    }
}

extension FiveTuple {
    /// ICMP queries have their identifier in both places.
    fileprivate func replacingSource(_ endpoint: NATEndpoint) -> FiveTuple {
        var flow = self
        flow.source = endpoint.address
        flow.sourcePort = endpoint.port
        if flow.protocol == .icmp { flow.destinationPort = endpoint.port }
        return flow
    }

    fileprivate func replacingDestination(_ endpoint: NATEndpoint) -> FiveTuple {
        var flow = self
        flow.destination = endpoint.address
        flow.destinationPort = endpoint.port
        if flow.protocol == .icmp { flow.sourcePort = endpoint.port }
        return flow
    }
}

extension SessionRecord {
    /// How the originator's packets leave the box: `flow` with the translated addresses and ports.
    public var outgoing: FiveTuple {
        get {
            var outgoing = flow
            if flags.contains(.sourceTranslated) {
                outgoing.source = translatedSource
                outgoing.sourcePort = translatedSourcePort
            }
            if flags.contains(.destinationTranslated) {
                outgoing.destination = translatedDestination
                outgoing.destinationPort = translatedDestinationPort
            }
            if outgoing.protocol == .icmp, flags.contains(.sourceTranslated) {
                outgoing.destinationPort = translatedSourcePort
            }
            return outgoing
        }
        set {
            flags.remove([.sourceTranslated, .destinationTranslated])
            if newValue.source != flow.source || newValue.sourcePort != flow.sourcePort {
                flags.insert(.sourceTranslated)
                translatedSource = newValue.source
                translatedSourcePort = newValue.sourcePort
            }
            let isQuery = flow.protocol == .icmp
            if newValue.destination != flow.destination || !isQuery && newValue.destinationPort != flow.destinationPort
            {
                flags.insert(.destinationTranslated)
                translatedDestination = newValue.destination
                translatedDestinationPort = newValue.destinationPort
            }
        }
    }
}
